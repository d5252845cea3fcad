#include "ledger/definitions.hpp"

#include "ledger/images.hpp"

#include "ledger/state_names.hpp"
#include "pg/key.hpp"

namespace pgsluice::ledger {
namespace {

constexpr const char* kKnown = R"sql(
SELECT s.step_id, s.name, s.kind, s.state, s.detail, s.ranges_cut, s.definition,
       coalesce((SELECT bool_or(r.is_done) FROM pgsluice.range r WHERE r.step_id = s.step_id), false),
       coalesce((SELECT sum(r.rows_changed) FROM pgsluice.range r WHERE r.step_id = s.step_id), 0),
       EXISTS (SELECT FROM pgsluice.step a LEFT JOIN pgsluice.range r ON r.step_id = a.step_id
               WHERE a.parent_id = s.step_id
                 AND (a.state = 'done' OR a.detail <> '' OR r.rows_changed > 0 OR (r.is_done AND a.kind <> 'backfill')))
FROM pgsluice.step s WHERE s.job_id = $1::bigint AND s.parent_id IS NULL ORDER BY s.number
)sql";

constexpr const char* kDefinitions = R"sql(
SELECT j.job_id, j.name, s.name, s.kind, s.definition
FROM pgsluice.job j JOIN pgsluice.step s ON s.job_id = j.job_id
WHERE s.parent_id IS NULL ORDER BY j.job_id, s.number
)sql";

constexpr const char* kHold = R"sql(
SELECT FROM pgsluice.range r JOIN pgsluice.step s ON s.step_id = r.step_id
WHERE s.step_id = $1::bigint OR s.parent_id = $1::bigint ORDER BY r.range_id FOR UPDATE OF r
)sql";

constexpr const char* kForget = "DELETE FROM pgsluice.step WHERE step_id = $1::bigint";

}  // namespace

std::vector<KnownStep> known_steps(pg::Session& session, std::int64_t job_id) {
  const auto rows = session.exec(kKnown, {std::to_string(job_id)});
  std::vector<KnownStep> steps;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    KnownStep known;
    known.record = {rows.integer(i, 0), rows.text(i, 1),
                    rows.text(i, 2),    read_state(kStepStates, rows.text(i, 3)),
                    rows.text(i, 4),    rows.boolean(i, 5)};
    known.definition = pg::from_array(rows.text(i, 6));
    known.has_range_done = rows.boolean(i, 7);
    known.rows_changed = rows.integer(i, 8);
    known.has_act_begun = rows.boolean(i, 9);
    steps.push_back(std::move(known));
  }
  return steps;
}

std::map<std::string, KnownJob> known_jobs(pg::Session& session) {
  const auto rows = session.exec(kDefinitions, pg::Params{});
  std::map<std::string, KnownJob> jobs;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto& job = jobs[rows.text(i, 1)];
    job.job_id = rows.integer(i, 0);
    job.steps.push_back({rows.text(i, 2), rows.text(i, 3), pg::from_array(rows.text(i, 4))});
  }
  return jobs;
}

void hold_step(pg::Session& session, std::int64_t step_id) {
  session.exec(kHold, {std::to_string(step_id)});
}

void forget_step(pg::Session& session, std::int64_t step_id) {
  drop_images(session, step_id);
  session.exec(kForget, {std::to_string(step_id)});
}

}  // namespace pgsluice::ledger
