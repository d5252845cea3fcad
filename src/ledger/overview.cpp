#include "ledger/overview.hpp"

#include <algorithm>
#include <map>

#include "base/process_identity.hpp"
#include "ledger/foretold/estimates.hpp"
#include "ledger/images.hpp"
#include "ledger/state_names.hpp"
#include "ledger/unchanged.hpp"
#include "pg/key.hpp"

namespace pgsluice::ledger {
namespace {

constexpr const char* kJobs = R"sql(
SELECT job_id, name, description, state, control, control_reason, control_actor, tunables,
       coalesce(to_char(ended_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), '')
FROM pgsluice.job WHERE $1 = '' OR name = $1 ORDER BY created_at, name
)sql";

// Steps and runs of all jobs come in one answer each: a database may know hundreds.
const std::string kSteps = R"sql(
SELECT s.job_id, s.name, s.kind, s.state, s.error, s.part, s.detail,
       coalesce(sum(CASE WHEN r.is_done OR r.walk IN ('sweep', 'final') THEN r.rows_visited
                         ELSE greatest(r.rows_expected, r.rows_visited) END), s.rows_expected),
       coalesce(sum(r.rows_changed), 0), coalesce(sum(r.rows_visited), 0), coalesce(sum(r.rows_quarantined), 0),
       coalesce(sum(r.batches), 0), count(r.range_id), count(r.range_id) FILTER (WHERE r.is_done), )sql" +
                           unchanged_sql("s.detail") + R"sql(
FROM pgsluice.step s LEFT JOIN pgsluice.step p ON p.step_id = s.parent_id
LEFT JOIN pgsluice.range r ON r.step_id = s.step_id
WHERE s.job_id = ANY ($1::bigint[])
GROUP BY s.step_id, p.step_id
ORDER BY s.job_id, coalesce(p.number, s.number), s.parent_id IS NOT NULL, s.number
)sql";

constexpr const char* kRuns = R"sql(
SELECT job_id, run_id, host, pid, extract(epoch FROM now() - heartbeat_at), lease_until >= now(), progress, boot,
       process_started
FROM pgsluice.run WHERE job_id = ANY ($1::bigint[]) AND ended_at IS NULL ORDER BY started_at
)sql";

const std::string kCounts = R"sql(
WITH steps AS (SELECT step_id, detail FROM pgsluice.step WHERE $1::bigint IN (step_id, parent_id))
SELECT coalesce(sum(rows_changed), 0), coalesce(sum(rows_visited), 0), coalesce(sum(rows_quarantined), 0),
       (SELECT coalesce(sum()sql" +
                            unchanged_sql("detail") +
                            R"sql(), 0) FROM steps)
FROM pgsluice.range WHERE step_id IN (SELECT step_id FROM steps)
)sql";

constexpr const char* kQuarantine = R"sql(
SELECT s.name, q.key, q.sqlstate, q.message, to_char(q.set_aside_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
FROM pgsluice.quarantine q
JOIN pgsluice.step s ON s.step_id = q.step_id
JOIN pgsluice.job j ON j.job_id = s.job_id
WHERE j.name = $1 ORDER BY q.set_aside_at, q.key
)sql";

std::string estimates_sql() {
  return "SELECT s.job_id, s.name, " + estimate_columns("e") +
         " FROM pgsluice.estimate e JOIN pgsluice.step s ON s.step_id = e.step_id WHERE s.job_id = ANY "
         "($1::bigint[])";
}

constexpr const char* kFollows = R"sql(
SELECT s.job_id, s.name, f.is_following, f.is_switched, f.entries_behind, coalesce(f.seconds_behind, -1),
       coalesce(extract(epoch FROM now() - f.measured_at), 0)
FROM pgsluice.follow f JOIN pgsluice.step s ON s.step_id = f.step_id WHERE s.job_id = ANY ($1::bigint[])
)sql";

constexpr const char* kKnowsFollows = "SELECT pg_catalog.to_regclass('pgsluice.follow') IS NOT NULL";
constexpr const char* kKnowsImages = "SELECT pg_catalog.to_regclass('pgsluice.image') IS NOT NULL";

/// The ledger stores the exact counts (visited, changed, set aside, unchanged); already right is the rest.
/// Rows that come and go while a batch runs can make it slightly negative.
RowCounts counts(std::int64_t changed, std::int64_t visited, std::int64_t quarantined,
                 std::int64_t unchanged) {
  return {changed, std::max<std::int64_t>(0, visited - changed - quarantined - unchanged), quarantined,
          unchanged};
}

StepOverview step_of(const pg::Rows& rows, std::size_t i) {
  return {rows.text(i, 1),
          rows.text(i, 2),
          read_state(kStepStates, rows.text(i, 3)),
          rows.text(i, 4),
          rows.text(i, 5),
          rows.text(i, 6),
          rows.integer(i, 7),
          counts(rows.integer(i, 8), rows.integer(i, 9), rows.integer(i, 10), rows.integer(i, 14)),
          rows.integer(i, 11),
          static_cast<int>(rows.integer(i, 12)),
          static_cast<int>(rows.integer(i, 13)),
          0,
          0,
          std::nullopt,
          {}};
}

FollowOverview follow_of(const pg::Rows& rows, std::size_t i) {
  return {rows.boolean(i, 2), rows.boolean(i, 3), {rows.integer(i, 4), rows.real(i, 5)}, rows.real(i, 6)};
}

RunOverview run_of(const pg::Rows& rows, std::size_t i) {
  const base::ProcessIdentity process{rows.text(i, 2), rows.text(i, 7), static_cast<int>(rows.integer(i, 3)),
                                      rows.text(i, 8)};
  // On the run's own host we know that it is gone before its lease ends.
  const bool is_live = rows.boolean(i, 5) && !base::is_certainly_gone(process);
  return {rows.text(i, 1), process.host, process.pid, rows.real(i, 4), is_live, rows.text(i, 6)};
}

}  // namespace

std::vector<JobOverview> read_overview(pg::Session& session, const std::string& only) {
  const auto rows = session.exec(kJobs, {only});
  std::vector<JobOverview> out;
  std::map<std::string, std::size_t> place;  // by the job's number
  pg::Key job_ids;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    place.emplace(rows.text(i, 0), i);
    job_ids.push_back(rows.text(i, 0));
    out.push_back({rows.text(i, 1),
                   rows.text(i, 2),
                   read_state(kJobStates, rows.text(i, 3)),
                   read_state(kControls, rows.text(i, 4)),
                   rows.text(i, 5),
                   rows.text(i, 6),
                   pg::from_array(rows.text(i, 7)),
                   {},
                   {},
                   rows.text(i, 8)});
  }
  const auto steps = session.exec(kSteps, {pg::to_array(job_ids)});
  for (std::size_t i = 0; i < steps.size(); ++i)
    out[place.at(steps.text(i, 0))].steps.push_back(step_of(steps, i));
  const auto runs = session.exec(kRuns, {pg::to_array(job_ids)});
  for (std::size_t i = 0; i < runs.size(); ++i)
    out[place.at(runs.text(i, 0))].runs.push_back(run_of(runs, i));
  // A ledger that was not upgraded yet knows neither estimates nor images.
  if (!session.exec(kKnowsImages, pg::Params{}).boolean(0, 0)) return out;
  const auto estimates = session.exec(estimates_sql(), {pg::to_array(job_ids)});
  for (std::size_t i = 0; i < estimates.size(); ++i) {
    for (auto& step : out[place.at(estimates.text(i, 0))].steps) {
      if (step.name != estimates.text(i, 1)) continue;
      Foretold foretold;
      if (read_estimate(estimates, i, 2, foretold, step.came_true)) step.foretold = std::move(foretold);
    }
  }
  if (session.exec(kKnowsFollows, pg::Params{}).boolean(0, 0)) {
    const auto follows = session.exec(kFollows, {pg::to_array(job_ids)});
    for (std::size_t i = 0; i < follows.size(); ++i) {
      for (auto& step : out[place.at(follows.text(i, 0))].steps) {
        const auto name = follows.text(i, 1);
        const bool is_its_act = step.part == "follow" && step.name.starts_with(name + ": ");
        if (step.name == name || is_its_act) step.follow = follow_of(follows, i);
      }
    }
  }
  for (const auto& images : images_of_jobs(session, job_ids)) {
    for (auto& step : out[place.at(std::to_string(images.job_id))].steps) {
      if (step.name != images.step) continue;
      step.undo_bytes = images.bytes;
      step.undo_age_s = images.age_s;
    }
  }
  return out;
}

RowCounts step_counts(pg::Session& session, std::int64_t step_id) {
  const auto rows = session.exec(kCounts, {std::to_string(step_id)});
  return counts(rows.integer(0, 0), rows.integer(0, 1), rows.integer(0, 2), rows.integer(0, 3));
}

std::vector<QuarantinedRow> read_quarantine(pg::Session& session, const std::string& job) {
  const auto rows = session.exec(kQuarantine, {job});
  std::vector<QuarantinedRow> out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    out.push_back({rows.text(i, 0), pg::display(pg::from_array(rows.text(i, 1))), rows.text(i, 2),
                   rows.text(i, 3), rows.text(i, 4)});
  }
  return out;
}

}  // namespace pgsluice::ledger
