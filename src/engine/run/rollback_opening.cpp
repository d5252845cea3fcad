#include "engine/run/rollback_opening.hpp"

#include <algorithm>

#include "base/failpoint.hpp"
#include "base/process_identity.hpp"
#include "engine/command/rollback_survey.hpp"
#include "kinds/definition_change/job_definition.hpp"
#include "ledger/control.hpp"
#include "ledger/jobs.hpp"
#include "ledger/runs.hpp"
#include "ledger/schema.hpp"
#include "ledger/undo.hpp"
#include "pg/catalog/catalog.hpp"
#include "pg/connection/transaction.hpp"
#include "pgsluice/error.hpp"
#include "telling/version.hpp"

namespace pgsluice::engine {
namespace {

constexpr const char* kActor = "rollback";

ledger::JobRecord find_job(pg::Session& session, const Job& job) {
  const auto record = ledger::is_installed(session) ? ledger::find_job(session, job.name) : std::nullopt;
  if (!record)
    throw Error(ExitCode::kNoSuchJob, "no job \"" + job.name + "\" in this database's ledger",
                "pgsluice status lists the jobs");
  const auto change = read_definition_change(session, job, record->job_id);
  if (change.refused.empty()) return *record;
  std::string message = "job \"" + job.name + "\" exists with another definition";
  for (const auto& line : change.refused) message += "\n  " + line;
  throw Error(ExitCode::kRefused, message,
              "roll back with the file that it ran with; only `down` may be corrected");
}

void refuse_beside_runs(pg::Session& session, const Job& job, std::int64_t job_id,
                        const std::string& run_id) {
  const int live = ledger::other_live_runs(session, job_id, run_id);
  if (live == 0) return;
  throw Error(
      ExitCode::kRefused,
      "job \"" + job.name + "\" has " + std::to_string(live) + " live run" + (live > 1 ? "s" : ""),
      "stop it first: pgsluice cancel " + job.name +
          ", and wait until it ends (a run killed on another host counts as live until its lease ends)");
}

bool needs_own_session(const RollbackSurvey& survey) {
  return std::any_of(survey.acts.begin(), survey.acts.end(),
                     [](const RollbackAct& act) { return !act.index_sql.empty(); });
}

RollbackSurvey survey_without_obstacles(pg::Session& session, const Job& job, std::int64_t job_id) {
  auto survey = survey_rollback(session, job, job_id);
  if (!survey.obstacles.empty()) {
    std::string message = "job \"" + job.name + "\" cannot be rolled back";
    for (const auto& obstacle : survey.obstacles) message += "\n  " + obstacle;
    throw Error(ExitCode::kRefused, message,
                "nothing was changed; write the missing `down`, or undo that step by hand and run pgsluice "
                "resolve " +
                    job.name + " STEP --rolled-back");
  }
  if (needs_own_session(survey) && pg::is_behind_pooler(session) && job.direct_dsn.empty())
    throw Error(ExitCode::kRefused,
                "an index must be dropped concurrently, but the connection goes through a pooler",
                "give the server's own address as direct_dsn in the job file");
  return survey;
}

/// From now on no run starts: whoever registers looks at the job's state under the same lock. Returns the
/// state before. Throws Error(kRefused) beside a live run, having changed nothing.
JobState register_rollback(pg::Session& session, const Job& job, std::int64_t job_id,
                           const std::string& run_id) {
  return pg::in_transaction(session, {}, [&] {
    const auto before = ledger::lock_job(session, job_id);
    if (before != JobState::kRollingBack) {
      refuse_beside_runs(session, job, job_id, run_id);
      ledger::set_job_state(session, job_id, JobState::kRollingBack);
    }
    ledger::register_run(session, job_id, run_id, kVersion, base::this_process());
    return before;
  });
}

/// Ends a rollback that has undone nothing. The job gets its state back, unless another rollback has joined.
void withdraw(pg::Session& session, std::int64_t job_id, const std::string& run_id, JobState before,
              ExitCode code) {
  pg::in_transaction(session, {}, [&] {
    ledger::lock_job(session, job_id);
    ledger::end_run(session, run_id, "refused", static_cast<int>(code));
    if (before != JobState::kRollingBack && ledger::other_live_runs(session, job_id, run_id) == 0)
      ledger::give_up_rollback(session, job_id, before);
    return true;
  });
}

}  // namespace

OpenedRollback open_rollback(pg::Session& session, const Job& job, const std::string& run_id) {
  const auto job_id = find_job(session, job).job_id;
  ledger::install(session);  // upgrades an older one
  ledger::end_gone_runs(session, job_id);
  survey_without_obstacles(session, job, job_id);
  const auto before = register_rollback(session, job, job_id, run_id);
  // Orders that were given to runs are over; those given to a rollback that was interrupted stand.
  if (before != JobState::kRollingBack)
    ledger::set_control(session, job.name, Control::kRun, kActor, "the job is being rolled back");
  base::failpoint("rollback_begun");
  ledger::fence_job(session, job_id);
  OpenedRollback opened;
  try {
    opened.survey = survey_without_obstacles(session, job, job_id);  // an orphan may have committed by now
  } catch (const Error& refused) {
    withdraw(session, job_id, run_id, before, refused.code());
    throw;
  }
  opened.run.job.record = *ledger::find_job(session, job.name);
  opened.run.orders = ledger::read_orders(session, job_id, run_id, job.window ? job.window->timezone : "UTC");
  return opened;
}

void close_rollback(pg::Session& session, const std::string& job, std::int64_t job_id) {
  if (!ledger::settle_rollback(session, job_id)) return;
  ledger::set_control(session, job, Control::kRun, kActor, "the job is rolled back");
}

}  // namespace pgsluice::engine
