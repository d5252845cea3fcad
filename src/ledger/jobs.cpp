#include "ledger/jobs.hpp"

#include <algorithm>

#include "pg/key.hpp"
#include "pg/transaction.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::ledger {
namespace {

constexpr const char* kFindJob = "SELECT job_id, state FROM pgsluice.job WHERE name = $1";

constexpr const char* kSteps = R"sql(
SELECT step_id, name, kind, state, detail, ranges_cut, definition
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
WHERE job_id = $1::bigint
)sql";

constexpr const char* kSettleJob = R"sql(
UPDATE pgsluice.job j SET state = 'done', ended_at = now()
WHERE j.job_id = $1::bigint
  AND NOT EXISTS (SELECT FROM pgsluice.step s WHERE s.job_id = j.job_id AND s.parent_id IS NULL AND s.state <> 'done')
)sql";

constexpr const char* kStepState = R"sql(
UPDATE pgsluice.step
SET state = $2, error = $3, started_at = coalesce(started_at, now()),
    ended_at = CASE WHEN $2 IN ('done', 'failed', 'rolled back') THEN now() END
WHERE step_id = $1::bigint
)sql";

constexpr const char* kStepDetail = "UPDATE pgsluice.step SET detail = $2 WHERE step_id = $1::bigint";

struct StoredStep {
  StepRecord record;
  std::vector<std::string> definition;
};

std::vector<StoredStep> stored_steps(pg::Session& session, std::int64_t job_id) {
  const auto rows = session.exec(kSteps, {std::to_string(job_id)});
  std::vector<StoredStep> steps;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    steps.push_back({{rows.integer(i, 0), rows.text(i, 1), rows.text(i, 2), rows.text(i, 3), rows.text(i, 4),
                      rows.boolean(i, 5)},
                     pg::from_array(rows.text(i, 6))});
  }
  return steps;
}

void compare(const std::string& step, const std::vector<std::string>& was, const std::vector<std::string>& is,
             std::vector<std::string>& out) {
  if (was == is) return;
  out.push_back("step \"" + step + "\":");
  const auto lacks = [](const auto& lines, const std::string& line) {
    return std::find(lines.begin(), lines.end(), line) == lines.end();
  };
  for (const auto& line : was) {
    if (lacks(is, line)) out.push_back("- " + line);
  }
  for (const auto& line : is) {
    if (lacks(was, line)) out.push_back("+ " + line);
  }
}

std::vector<std::string> difference(const std::vector<StoredStep>& stored, const JobDefinition& job) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < stored.size(); ++i) {
    const auto& was = stored[i];
    if (i >= job.steps.size()) {
      out.push_back("- step \"" + was.record.name + "\" is missing");
    } else if (job.steps[i].name != was.record.name) {
      out.push_back("- step \"" + was.record.name + "\" at place " + std::to_string(i + 1));
      out.push_back("+ step \"" + job.steps[i].name + "\" at place " + std::to_string(i + 1));
    } else {
      compare(was.record.name, was.definition, job.steps[i].lines, out);
    }
  }
  return out;
}

void refuse_difference(const JobDefinition& job, const std::vector<std::string>& lines) {
  if (lines.empty()) return;
  std::string message = "job \"" + job.name + "\" exists with another definition";
  for (const auto& line : lines) message += "\n  " + line;
  throw Error(ExitCode::kRefused, message, "give the new definition another name, or restore the old text");
}

}  // namespace

std::optional<JobRecord> find_job(pg::Session& session, const std::string& name) {
  const auto rows = session.exec(kFindJob, {name});
  if (rows.empty()) return std::nullopt;
  JobRecord record{rows.integer(0, 0), rows.text(0, 1), {}};
  for (auto& step : stored_steps(session, record.job_id)) record.steps.push_back(std::move(step.record));
  return record;
}

std::vector<std::string> definition_difference(pg::Session& session, const JobDefinition& job) {
  const auto found = find_job(session, job.name);
  return found ? difference(stored_steps(session, found->job_id), job) : std::vector<std::string>{};
}

JobRecord open_job(pg::Session& session, const JobDefinition& job) {
  return pg::in_transaction(session, {}, [&] {
    const auto rows = session.exec(kInsertJob, {job.name, job.description});
    const auto job_id = rows.integer(0, 0);
    refuse_difference(job, difference(stored_steps(session, job_id), job));
    int number = 0;
    for (const auto& step : job.steps) {
      session.exec(kInsertStep, {std::to_string(job_id), std::to_string(++number), step.name, step.kind,
                                 pg::to_array(step.lines)});
    }
    return *find_job(session, job.name);
  });
}

void set_job_state(pg::Session& session, std::int64_t job_id, const std::string& state) {
  session.exec(kJobState, {std::to_string(job_id), state});
}

void settle_job_state(pg::Session& session, std::int64_t job_id) {
  session.exec(kSettleJob, {std::to_string(job_id)});
}

void set_step_state(pg::Session& session, std::int64_t step_id, const std::string& state,
                    const std::string& error) {
  session.exec(kStepState, {std::to_string(step_id), state, error});
}

void set_step_detail(pg::Session& session, std::int64_t step_id, const std::string& detail) {
  session.exec(kStepDetail, {std::to_string(step_id), detail});
}

}  // namespace pgsluice::ledger
