#include "ledger/jobs.hpp"

#include "ledger/state_names.hpp"
#include "ledger/step/gone_step.hpp"
#include "pg/connection/transaction.hpp"
#include "pg/key.hpp"

namespace pgsluice::ledger {
namespace {

constexpr const char* kFindJob = "SELECT job_id, state FROM pgsluice.job WHERE name = $1";

constexpr const char* kSteps = R"sql(
SELECT step_id, name, kind, state, detail, ranges_cut
FROM pgsluice.step WHERE job_id = $1::bigint AND parent_id IS NULL ORDER BY number
)sql";

constexpr const char* kInsertJob = R"sql(
INSERT INTO pgsluice.job (name, description) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET description = excluded.description
RETURNING job_id, state
)sql";

constexpr const char* kInsertStep = R"sql(
INSERT INTO pgsluice.step (job_id, number, name, kind, definition) VALUES ($1::bigint, $2::int, $3, $4, $5::text[])
ON CONFLICT (job_id, name) DO NOTHING
)sql";

constexpr const char* kJobState = R"sql(
UPDATE pgsluice.job
SET state = $2, ended_at = CASE WHEN $2 IN ('done', 'failed', 'cancelled', 'rolled back') THEN now() END
WHERE job_id = $1::bigint AND state <> 'rolling back'
)sql";

constexpr const char* kLockJob = "SELECT state FROM pgsluice.job WHERE job_id = $1::bigint FOR UPDATE";

constexpr const char* kGiveUpRollback =
    "UPDATE pgsluice.job SET state = $2 WHERE job_id = $1::bigint AND state = 'rolling back'";

constexpr const char* kSettleRollback = R"sql(
UPDATE pgsluice.job j SET state = 'rolled back', ended_at = now()
WHERE j.job_id = $1::bigint AND j.state = 'rolling back'
  AND NOT EXISTS (SELECT FROM pgsluice.step s
                  WHERE s.job_id = j.job_id AND s.parent_id IS NULL AND s.state NOT IN ('waiting', 'rolled back'))
)sql";

constexpr const char* kSettleJob = R"sql(
UPDATE pgsluice.job j SET state = 'done', ended_at = now()
WHERE j.job_id = $1::bigint AND j.state <> 'rolling back'
  AND NOT EXISTS (SELECT FROM pgsluice.step s WHERE s.job_id = j.job_id AND s.parent_id IS NULL AND s.state <> 'done')
)sql";

constexpr const char* kStepState = R"sql(
UPDATE pgsluice.step
SET state = $2, error = $3, started_at = coalesce(started_at, now()),
    ended_at = CASE WHEN $2 IN ('done', 'failed', 'rolled back') THEN now() END
WHERE step_id = $1::bigint
)sql";

constexpr const char* kHasRangeDone =
    "SELECT EXISTS (SELECT FROM pgsluice.range WHERE step_id = $1::bigint AND is_done)";

constexpr const char* kStepDetail = "UPDATE pgsluice.step SET detail = $2 WHERE step_id = $1::bigint";

std::vector<StepRecord> read_steps(pg::Session& session, std::int64_t job_id) {
  const auto rows = session.exec(kSteps, {std::to_string(job_id)});
  std::vector<StepRecord> steps;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    steps.push_back({rows.integer(i, 0), rows.text(i, 1), rows.text(i, 2),
                     read_state(kStepStates, rows.text(i, 3)), rows.text(i, 4), rows.boolean(i, 5)});
  }
  return steps;
}

}  // namespace

std::optional<JobRecord> find_job(pg::Session& session, const std::string& name) {
  const auto rows = session.exec(kFindJob, {name});
  if (rows.empty()) return std::nullopt;
  const auto job_id = rows.integer(0, 0);
  return JobRecord{job_id, read_state(kJobStates, rows.text(0, 1)), read_steps(session, job_id)};
}

JobRecord write_job(pg::Session& session, const JobDefinition& job,
                    const std::function<void(std::int64_t)>& agree) {
  const auto rows = session.exec(kInsertJob, {job.name, job.description});
  const auto job_id = rows.integer(0, 0);
  if (agree) agree(job_id);
  int number = 0;
  for (const auto& step : job.steps) {
    session.exec(kInsertStep, {std::to_string(job_id), std::to_string(++number), step.name, step.kind,
                               pg::to_array(step.lines)});
  }
  return *find_job(session, job.name);
}

JobRecord open_job(pg::Session& session, const JobDefinition& job,
                   const std::function<void(std::int64_t)>& agree) {
  return pg::in_transaction(session, {}, [&] { return write_job(session, job, agree); });
}

JobState lock_job(pg::Session& session, std::int64_t job_id) {
  const auto rows = session.exec(kLockJob, {std::to_string(job_id)});
  return rows.empty() ? JobState::kReady : read_state(kJobStates, rows.text(0, 0));
}

void set_job_state(pg::Session& session, std::int64_t job_id, JobState state) {
  session.exec(kJobState, {std::to_string(job_id), name_of(state)});
}

void give_up_rollback(pg::Session& session, std::int64_t job_id, JobState state) {
  session.exec(kGiveUpRollback, {std::to_string(job_id), name_of(state)});
}

bool settle_rollback(pg::Session& session, std::int64_t job_id) {
  return session.exec(kSettleRollback, {std::to_string(job_id)}).affected() == 1;
}

void settle_job_state(pg::Session& session, std::int64_t job_id) {
  session.exec(kSettleJob, {std::to_string(job_id)});
}

bool set_step_state(pg::Session& session, std::int64_t step_id, StepState state, const std::string& error) {
  return session.exec(kStepState, {std::to_string(step_id), name_of(state), error}).affected() > 0;
}

bool has_range_done(pg::Session& session, std::int64_t step_id) {
  return session.exec(kHasRangeDone, {std::to_string(step_id)}).boolean(0, 0);
}

void set_step_detail(pg::Session& session, std::int64_t step_id, const std::string& detail) {
  of_present_step(session.exec(kStepDetail, {std::to_string(step_id), detail}));
}

}  // namespace pgsluice::ledger
