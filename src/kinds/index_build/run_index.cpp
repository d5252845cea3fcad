#include "kinds/index_build/run_index.hpp"

#include "base/failpoint.hpp"
#include "kinds/index_build/asked_index.hpp"
#include "kinds/index_build/run_alone.hpp"
#include "ledger/range/checkpoint.hpp"
#include "pgsluice/error.hpp"
#include "telling/failure/outage.hpp"

namespace pgsluice::engine {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds kLook{200};  // how often to look at another session's build

AskedIndex asked_by(const std::string& step, const std::string& sql) {
  if (auto asked = asked_index(sql)) return std::move(*asked);
  throw Error(ExitCode::kJobFile, "step \"" + step + "\" names no table", "check `sql`");
}

/// What its name refers to.
struct Seen {
  std::string index_sql;
  steps::IndexState state = steps::IndexState::kMissing;
  std::string other{};  // how a valid index differs from the one in the step
};

/// An index that this run has built matches the step.
Seen look_for(pg::Session& session, const AskedIndex& asked, bool is_built) {
  Seen found;
  found.index_sql = index_sql_of(session, asked);
  found.state = steps::index_state(session, found.index_sql, asked.table_sql);
  if (found.state == steps::IndexState::kValid && !is_built)
    found.other = steps::other_definition(session, found.index_sql, asked.table_sql, asked.wanted);
  return found;
}

void refuse_foreign(const Seen& found, const std::string& table_sql) {
  if (found.state == steps::IndexState::kForeign)
    throw Error(ExitCode::kRefused,
                "the name " + found.index_sql + " belongs to something other than an index of " + table_sql,
                "give the index another name");
  if (!found.other.empty())
    throw Error(
        ExitCode::kRefused,
        "index " + found.index_sql + " of " + table_sql + " differs from the one in the step: " + found.other,
        "drop it, or give the step's index another name");
}

/// Noted before the build: a run that died during it could not record that the index is ours to drop at
/// rollback.
asio::awaitable<void> note_building(RunningStep& step, pg::Connection& own) {
  std::function<bool(pg::Session&)> note = [id = step.record.step_id](pg::Session& s) {
    ledger::set_step_detail(s, id, "building");
    return true;
  };
  co_await keep_trying<bool>(own, note, step.journal, step.stop);
}

asio::awaitable<void> mark_built(RunningStep& step, pg::Connection& own, ledger::Token token, bool is_ours) {
  std::function<bool(pg::Session&)> mark = [=, id = step.record.step_id](pg::Session& s) {
    if (is_ours) ledger::set_step_detail(s, id, "created");
    return ledger::mark_done(s, token);
  };
  base::failpoint("after_index");
  co_await keep_trying<bool>(own, mark, step.journal, step.stop);
}

}  // namespace

asio::awaitable<void> run_index(RunningStep& step, std::string create_sql) {
  step.journal.write(event::StepStarted{step.record.name, step.record.kind, false, 0});
  const auto asked = asked_by(step.record.name, create_sql);
  const auto own = step.own.open("index");
  const auto range = co_await lease_single(step, *own);
  if (!range) co_return;
  bool is_ours = step.record.detail == "building" || step.record.detail == "created";
  bool is_built = false;
  for (int attempt = 1; !step.stop.is_requested(); ++attempt) {
    std::function<Seen(pg::Session&)> look = [=](pg::Session& s) { return look_for(s, asked, is_built); };
    const auto found = co_await keep_trying<Seen>(*own, look, step.journal, step.stop);
    refuse_foreign(found, asked.table_sql);
    if (found.state == steps::IndexState::kValid) break;
    if (found.state == steps::IndexState::kBuilding) {
      co_await sleep_unless_stopped(kLook, step.stop);  // an orphan backend of an earlier run is building it
      continue;
    }
    const bool is_leftover = found.state == steps::IndexState::kInvalid;
    if (is_leftover)
      step.journal.warn("index " + found.index_sql +
                        " is INVALID, a leftover: it is dropped and built again");
    AloneStatement statement{create_sql, asked.facts.lock, attempt};
    if (is_leftover) statement = {steps::drop_index_sql(found.index_sql), "SHARE UPDATE EXCLUSIVE", attempt};
    if (!is_ours) co_await note_building(step, *own);
    is_ours = true;
    co_await run_alone(step, *own, std::move(statement));
    is_built = !is_leftover;
  }
  if (!step.stop.is_requested()) co_await mark_built(step, *own, range->token, is_ours);
}

}  // namespace pgsluice::engine
