#include "ledger/purge/repetition.hpp"

#include "ledger/step/gone_step.hpp"
#include "pg/key.hpp"

namespace pgsluice::ledger {
namespace {

constexpr const char* kFix = R"sql(
UPDATE pgsluice.step SET as_of = coalesce(as_of, clock_timestamp()) WHERE step_id = $1::bigint
RETURNING pg_catalog.to_char(as_of AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || '+00'
)sql";

constexpr const char* kRead = R"sql(
SELECT pg_catalog.to_char(coalesce((SELECT as_of FROM pgsluice.step WHERE step_id = $1::bigint), clock_timestamp())
                          AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || '+00'
)sql";

constexpr const char* kNow =
    "SELECT pg_catalog.to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || '+00'";

// An act has no definition of its own.
constexpr const char* kFixKey = R"sql(
UPDATE pgsluice.step SET definition = CASE WHEN definition = '{}' THEN $2::text[] ELSE definition END
WHERE step_id = $1::bigint RETURNING definition
)sql";

constexpr const char* kLockIfDone = R"sql(
SELECT j.job_id FROM pgsluice.job j
WHERE j.name = $1 AND j.state = 'done'
  AND NOT EXISTS (SELECT FROM pgsluice.step s WHERE s.job_id = j.job_id AND s.parent_id IS NULL AND s.state <> 'done')
FOR UPDATE OF j
)sql";

// A run of the time before that writes a range right now is waited for.
constexpr const char* kLockSteps =
    "SELECT FROM pgsluice.step WHERE job_id = $1::bigint AND name = ANY ($2::text[]) FOR UPDATE";

constexpr const char* kForgetRanges = R"sql(
DELETE FROM pgsluice.range r USING pgsluice.step s
WHERE r.step_id = s.step_id AND s.job_id = $1::bigint AND s.name = ANY ($2::text[])
)sql";

constexpr const char* kForgetRows = R"sql(
DELETE FROM pgsluice.quarantine q USING pgsluice.step s
WHERE q.step_id = s.step_id AND s.job_id = $1::bigint AND s.name = ANY ($2::text[])
)sql";

constexpr const char* kForgetEstimates = R"sql(
DELETE FROM pgsluice.estimate e USING pgsluice.step s
WHERE e.step_id = s.step_id AND s.job_id = $1::bigint AND s.name = ANY ($2::text[])
)sql";

constexpr const char* kForgetObjects = R"sql(
DELETE FROM pgsluice.object o USING pgsluice.step s
WHERE o.step_id = s.step_id AND s.job_id = $1::bigint AND s.name = ANY ($2::text[])
)sql";

// Acts of a step, such as a VACUUM afterwards, are its children.
constexpr const char* kForgetActs = R"sql(
DELETE FROM pgsluice.step a USING pgsluice.step s
WHERE a.parent_id = s.step_id AND s.job_id = $1::bigint AND s.name = ANY ($2::text[])
)sql";

// Under another number: a run of the time before that was frozen, or cut off, still knows the old one, and
// whatever it does with that reaches nothing.
constexpr const char* kWait = R"sql(
UPDATE pgsluice.step
SET step_id = DEFAULT, state = 'waiting', detail = '', error = '', ranges_cut = false, rows_expected = 0, started_at = NULL,
    ended_at = NULL, as_of = NULL
WHERE job_id = $1::bigint AND name = ANY ($2::text[])
)sql";

// Those that nobody has heard of for as long as a lease: they wake up to find that they are ended.
constexpr const char* kEndOldRuns = R"sql(
UPDATE pgsluice.run SET ended_at = now(), outcome = 'overtaken', exit_code = 11
WHERE job_id = $1::bigint AND ended_at IS NULL AND lease_until < now()
)sql";

constexpr const char* kReady =
    "UPDATE pgsluice.job SET state = 'ready', ended_at = NULL WHERE job_id = $1::bigint";

}  // namespace

std::string fix_as_of(pg::Session& session, std::int64_t step_id) {
  return of_present_step(session.exec(kFix, {std::to_string(step_id)})).text(0, 0);
}

std::string read_as_of(pg::Session& session, std::int64_t step_id) {
  return (step_id == 0 ? session.exec(kNow, pg::Params{}) : session.exec(kRead, {std::to_string(step_id)}))
      .text(0, 0);
}

std::vector<std::string> fix_key(pg::Session& session, std::int64_t act_id,
                                 const std::vector<std::string>& columns) {
  const auto fixed = session.exec(kFixKey, {std::to_string(act_id), pg::to_array(columns)});
  return pg::from_array(of_present_step(fixed).text(0, 0));
}

bool begin_anew(pg::Session& session, const std::string& job, const std::vector<std::string>& steps) {
  const auto found = session.exec(kLockIfDone, {job});
  if (found.empty()) return false;
  const auto job_id = found.text(0, 0);
  const pg::Params of_steps{job_id, pg::to_array(steps)};
  for (const char* sql :
       {kLockSteps, kForgetRanges, kForgetRows, kForgetObjects, kForgetEstimates, kForgetActs, kWait})
    session.exec(sql, of_steps);
  session.exec(kEndOldRuns, {job_id});
  session.exec(kReady, {job_id});
  return true;
}

}  // namespace pgsluice::ledger
