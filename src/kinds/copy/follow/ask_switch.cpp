#include "kinds/copy/follow/ask_switch.hpp"

#include <algorithm>
#include <thread>

#include "base/units.hpp"
#include "ledger/control.hpp"
#include "ledger/follow/follow.hpp"
#include "ledger/overview.hpp"
#include "ledger/schema.hpp"
#include "pg/connection/transaction.hpp"

namespace pgsluice::engine {
namespace {

constexpr std::chrono::milliseconds kLook{200};  // for the answer

/// The follow that is not over; nullopt: none.
std::optional<ledger::Follow> current(pg::Session& session, const std::string& job) {
  if (!ledger::is_installed(session)) return std::nullopt;
  if (ledger::installed_version(session) < ledger::kSchemaVersion) return std::nullopt;
  const auto all = ledger::find_follows(session, job);
  const auto found = std::find_if(all.begin(), all.end(), [](const auto& f) { return !f.is_switched; });
  if (found == all.end()) return std::nullopt;
  return *found;
}

bool has_live_run(pg::Session& session, const std::string& job) {
  const auto jobs = ledger::read_overview(session, job);
  if (jobs.empty()) return false;
  const auto& runs = jobs.front().runs;
  return std::any_of(runs.begin(), runs.end(), [](const RunOverview& run) { return run.is_live; });
}

ledger::Follow require_following(pg::Session& session, const std::string& job) {
  const auto follow = current(session, job);
  if (!follow)
    throw Error(ExitCode::kRefused, "no copy of job \"" + job + "\" follows its source",
                "pgsluice status " + job + " shows where it stands");
  if (!follow->is_following)
    throw Error(ExitCode::kRefused, "step \"" + follow->step + "\" still copies what was there at the start",
                "switch once pgsluice status " + job + " says that it follows");
  if (!has_live_run(session, job))
    throw Error(ExitCode::kRefused,
                "no run of job \"" + job + "\" is live: nobody brings the changes that are left",
                "start pgsluice run, and switch while it follows");
  return *follow;
}

/// "75 not switched, …": the exit code, and the words.
ExitCode told(const std::string& answer, const std::string& step,
              const std::function<void(EventBody)>& tell) {
  const auto space = answer.find(' ');
  const auto code = static_cast<ExitCode>(std::stoi(answer.substr(0, space)));
  const auto words = answer.substr(space + 1);
  if (code == ExitCode::kDone) {
    tell(event::State{"following", "switched", "step \"" + step + "\": " + words});
    return code;
  }
  throw Error(code, "step \"" + step + "\": " + words, hint_after_switch(code));
}

}  // namespace

const char* hint_after_switch(ExitCode code) {
  return code == ExitCode::kMismatch ? "find out who else writes to the target; a row that is written again "
                                       "at the source is brought again"
                                     : "ask again when less is written, or with a longer --pause";
}

ExitCode ask_switch(pg::Session& session, const std::string& job, const SwitchWish& wish,
                    const std::function<void(EventBody)>& tell) {
  const auto follow = require_following(session, job);
  pg::in_transaction(session, {}, [&] {
    ledger::ask_switch(session, follow.step_id, wish.pause);
    ledger::log_command(session, follow.job_id,
                        {wish.actor, "switch", "--pause " + base::duration_text(wish.pause), ""});
    return true;
  });
  for (;;) {
    std::this_thread::sleep_for(kLook);
    // Asked before the answer is read: it may come in between, and the run may end after it.
    const bool is_live = has_live_run(session, job);
    const bool is_open = ledger::is_switch_open(session, follow.step_id);
    const auto now = ledger::read_follow(session, follow.step_id);
    if (!now) throw Error(ExitCode::kFailed, "step \"" + follow.step + "\" was rolled back meanwhile");
    if (!now->answer.empty()) return told(now->answer, follow.step, tell);
    if (is_live && is_open) continue;
    if (is_live)
      throw Error(ExitCode::kWorkLeft,
                  "the run of job \"" + job + "\" has not heeded the switch for " +
                      base::format_duration(ledger::kRequestOpen) + ": it is held, or paused",
                  "pgsluice status " + job + " says why; then switch again");
    ledger::answer_switch(session, follow.step_id, "");
    throw Error(ExitCode::kFailed,
                "the run of job \"" + job + "\" ended before it could say whether step \"" + follow.step +
                    "\" is switched",
                "start pgsluice run: it finishes what was switched, or goes on following");
  }
}

std::vector<std::string> switch_notice(pg::Session& session, const std::string& job) {
  const auto follow = current(session, job);
  if (!follow) return {};
  return {
      "step \"" + follow->step +
          "\": writers of the source's table wait until the rest is brought; then every INSERT, UPDATE and "
          "DELETE there is refused (25006)",
      "what is written at the target from then on is not brought back"};
}

}  // namespace pgsluice::engine
