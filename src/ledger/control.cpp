#include "ledger/control.hpp"

#include "ledger/acts.hpp"
#include "ledger/images.hpp"
#include "ledger/jobs.hpp"
#include "ledger/runs.hpp"
#include "ledger/undo.hpp"
#include "pg/connection/transaction.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::ledger {
namespace {

constexpr const char* kControl = R"sql(
UPDATE pgsluice.job
SET control = $2, control_actor = $3, control_reason = $4, control_at = now(),
    state = CASE WHEN $2 = 'run' AND state = 'cancelled' THEN 'ready' ELSE state END
WHERE name = $1 RETURNING job_id
)sql";

// The newest value of a key replaces the older one.
constexpr const char* kTunable = R"sql(
UPDATE pgsluice.job
SET tunables = ARRAY(SELECT t FROM unnest(tunables) t WHERE t NOT LIKE $2 || '=%') || ($2 || '=' || $3),
    tunables_version = tunables_version + 1
WHERE name = $1 RETURNING job_id
)sql";

constexpr const char* kResolve = R"sql(
UPDATE pgsluice.step s SET state = $3, error = '', ended_at = CASE WHEN $3 = 'done' THEN now() END
FROM pgsluice.job j WHERE j.job_id = s.job_id AND j.name = $1 AND s.name = $2 RETURNING j.job_id, s.step_id
)sql";

// Applied: nothing is left to do. Rolled back: the step starts over; positions and quarantine are forgotten.
constexpr const char* kFinishRanges =
    "UPDATE pgsluice.range SET is_done = true, epoch = epoch + 1 WHERE step_id = $1::bigint";
constexpr const char* kForgetRanges = R"sql(
WITH forgotten AS (DELETE FROM pgsluice.range WHERE step_id = $1::bigint),
     taken_back AS (DELETE FROM pgsluice.quarantine WHERE step_id = $1::bigint)
UPDATE pgsluice.step SET ranges_cut = false, detail = '' WHERE step_id = $1::bigint
)sql";

constexpr const char* kLockJob = "SELECT job_id FROM pgsluice.job WHERE name = $1 FOR UPDATE";

constexpr const char* kFinishSteps = R"sql(
UPDATE pgsluice.step SET state = 'done', error = '', started_at = coalesce(started_at, now()), ended_at = now()
WHERE job_id = $1::bigint AND parent_id IS NULL AND state <> 'done'
)sql";

constexpr const char* kFinishJobsRanges = R"sql(
UPDATE pgsluice.range r SET is_done = true, epoch = r.epoch + 1
FROM pgsluice.step s WHERE s.step_id = r.step_id AND s.job_id = $1::bigint AND NOT r.is_done
)sql";

constexpr const char* kLiveRuns = R"sql(
SELECT count(*) FROM pgsluice.run u JOIN pgsluice.job j ON j.job_id = u.job_id
WHERE j.name = $1 AND u.ended_at IS NULL AND u.lease_until >= now()
)sql";

constexpr const char* kLogCommand = R"sql(
INSERT INTO pgsluice.event (job_id, at, type, fields)
VALUES ($1::bigint, now(), 'command', jsonb_build_object('actor', $2::text, 'verb', $3::text, 'arguments', $4::text, 'reason', $5::text))
)sql";

std::string known_job(const pg::Rows& rows, const std::string& job) {
  if (rows.empty()) {
    throw Error(ExitCode::kNoSuchJob, "no job \"" + job + "\" in this database's ledger",
                "pgsluice status lists the jobs");
  }
  return rows.text(0, 0);
}

void refuse_beside_runs(pg::Session& session, const std::string& job) {
  if (const auto record = find_job(session, job)) end_gone_runs(session, record->job_id);
  if (session.exec(kLiveRuns, {job}).integer(0, 0) == 0) return;
  throw Error(ExitCode::kRefused, "job \"" + job + "\" has a live run",
              "stop it first: its lanes would not notice the correction");
}

/// What was put back already would be left half done.
void refuse_applied_beside_rollback(pg::Session& session, const std::string& job, StepState state) {
  const auto record = find_job(session, job);
  if (state != StepState::kDone || !record || record->state != JobState::kRollingBack) return;
  throw Error(ExitCode::kRefused, "job \"" + job + "\" is being rolled back",
              "finish that first: pgsluice rollback continues where it stopped");
}

/// The step starts over, by the operator's word: neither images of its former life nor an act that puts them
/// back may be taken up again.
void forget_restore(pg::Session& session, std::int64_t step_id) {
  forget_acts(session, step_id);
  drop_images(session, step_id);
}

void mark_job_rolled_back(pg::Session& session, const std::string& job, std::int64_t job_id) {
  const auto record = find_job(session, job);
  for (const auto& step : record->steps) {
    forget_restore(session, step.step_id);
    mark_rolled_back(session, step.step_id);
  }
  give_up_rollback(session, job_id, JobState::kRolledBack);
  set_job_state(session, job_id, JobState::kRolledBack);
}

}  // namespace

void log_command(pg::Session& session, std::int64_t job_id, const event::Command& command) {
  session.exec(kLogCommand,
               {std::to_string(job_id), command.actor, command.verb, command.arguments, command.reason});
}

void mark_job_done(pg::Session& session, std::int64_t job_id) {
  const pg::Params id{std::to_string(job_id)};
  session.exec(kFinishSteps, id);
  session.exec(kFinishJobsRanges, id);
  set_job_state(session, job_id, JobState::kDone);
}

void set_control(pg::Session& session, const std::string& job, Control control, const std::string& actor,
                 const std::string& reason) {
  pg::in_transaction(session, {}, [&] {
    const auto job_id = known_job(session.exec(kControl, {job, name_of(control), actor, reason}), job);
    const std::string verb = control == Control::kRun ? "resume" : name_of(control);
    return session.exec(kLogCommand, {job_id, actor, verb, "", reason});
  });
}

void set_tunable(pg::Session& session, const std::string& job, const std::string& key,
                 const std::string& value, const std::string& actor, const std::string& reason) {
  pg::in_transaction(session, {}, [&] {
    const auto job_id = known_job(session.exec(kTunable, {job, key, value}), job);
    return session.exec(kLogCommand, {job_id, actor, "set", key + "=" + value, reason});
  });
}

void resolve_step(pg::Session& session, const std::string& job, const std::string& step, StepState state,
                  const std::string& actor, const std::string& reason) {
  pg::in_transaction(session, {}, [&] {
    const auto rows = session.exec(kResolve, {job, step, name_of(state)});
    if (rows.empty()) {
      throw Error(ExitCode::kNoSuchJob,
                  "no step \"" + step + "\" of job \"" + job + "\" in this database's ledger",
                  "pgsluice status " + job + " lists its steps");
    }
    refuse_beside_runs(session, job);
    refuse_applied_beside_rollback(session, job, state);
    session.exec(state == StepState::kDone ? kFinishRanges : kForgetRanges, {rows.text(0, 1)});
    if (state != StepState::kDone) forget_restore(session, rows.integer(0, 1));
    const std::string arguments = step + (state == StepState::kDone ? " --applied" : " --rolled-back");
    return session.exec(kLogCommand, {rows.text(0, 0), actor, "resolve", arguments, reason});
  });
}

void resolve_job(pg::Session& session, const std::string& job, StepState state, const std::string& actor,
                 const std::string& reason) {
  pg::in_transaction(session, {}, [&] {
    const auto job_id = std::stoll(known_job(session.exec(kLockJob, {job}), job));
    refuse_beside_runs(session, job);
    refuse_applied_beside_rollback(session, job, state);
    const bool is_applied = state == StepState::kDone;
    if (is_applied) {
      mark_job_done(session, job_id);
    } else {
      mark_job_rolled_back(session, job, job_id);
    }
    log_command(session, job_id, {actor, "resolve", is_applied ? "--applied" : "--rolled-back", reason});
    return true;
  });
}

}  // namespace pgsluice::ledger
