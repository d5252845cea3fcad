#include "ledger/undo.hpp"

#include "ledger/images.hpp"
#include "ledger/objects.hpp"
#include "ledger/range/checkpoint.hpp"
#include "ledger/state_names.hpp"
#include "pg/connection/transaction.hpp"

namespace pgsluice::ledger {
namespace {

// Longer than any batch (below deadlock_timeout) and longer than an idle transaction may last (2 s).
constexpr pg::TransactionLimits kFenceLimits{std::chrono::milliseconds{10'000},
                                             std::chrono::milliseconds{15'000}, true};

constexpr const char* kTraces = R"sql(
SELECT s.step_id, s.state, s.detail, coalesce(bool_or(r.is_done), false), coalesce(sum(r.rows_changed), 0)
FROM pgsluice.step s LEFT JOIN pgsluice.range r ON r.step_id = s.step_id
WHERE s.job_id = $1::bigint AND s.parent_id IS NULL GROUP BY s.step_id ORDER BY s.number
)sql";

constexpr const char* kFence = R"sql(
UPDATE pgsluice.range r SET run_id = NULL, epoch = r.epoch + 1
FROM pgsluice.step s WHERE s.step_id = r.step_id AND s.job_id = $1::bigint AND NOT r.is_done
)sql";

constexpr const char* kMark = R"sql(
UPDATE pgsluice.step
SET state = 'rolled back', detail = '', error = '', ranges_cut = false, rows_expected = 0, started_at = NULL, ended_at = now(),
    object_names = 'job', as_of = NULL
WHERE step_id = $1::bigint AND state <> 'rolled back'
)sql";

constexpr const char* kNotRestored = R"sql(
SELECT count(*) FILTER (WHERE q.sqlstate = ''), count(*) FILTER (WHERE q.sqlstate <> '')
FROM pgsluice.quarantine q JOIN pgsluice.step s ON s.step_id = q.step_id WHERE s.job_id = $1::bigint
)sql";

constexpr const char* kForgetRanges = "DELETE FROM pgsluice.range WHERE step_id = $1::bigint";

}  // namespace

std::vector<StepTrace> read_traces(pg::Session& session, std::int64_t job_id) {
  const auto rows = session.exec(kTraces, {std::to_string(job_id)});
  std::vector<StepTrace> out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    out.push_back({rows.integer(i, 0), read_state(kStepStates, rows.text(i, 1)), rows.text(i, 2),
                   rows.boolean(i, 3), rows.integer(i, 4)});
  }
  return out;
}

void fence_job(pg::Session& session, std::int64_t job_id) {
  pg::in_transaction(session, kFenceLimits,
                     [&] { return session.exec(kFence, {std::to_string(job_id)}).affected(); });
}

bool mark_restored(pg::Session& session, std::int64_t step_id) {
  const pg::Params id{std::to_string(step_id)};
  if (session.exec(kMark, id).affected() != 1) return false;
  session.exec(kForgetRanges, id);
  forget_objects(session, step_id);
  return true;
}

bool mark_rolled_back(pg::Session& session, std::int64_t step_id) {
  if (!mark_restored(session, step_id)) return false;
  forget_quarantine(session, step_id);
  return true;
}

void forget_rollback(pg::Session& session, std::int64_t step_id) {
  pg::in_transaction(session, {}, [&] {
    forget_quarantine(session, step_id);
    drop_images(session, step_id);
    return true;
  });
}

bool has_quarantined(pg::Session& session, std::int64_t step_id) {
  return session
      .exec("SELECT EXISTS (SELECT FROM pgsluice.quarantine WHERE step_id = $1::bigint)",
            {std::to_string(step_id)})
      .boolean(0, 0);
}

NotRestored count_not_restored(pg::Session& session, std::int64_t job_id) {
  const auto rows = session.exec(kNotRestored, {std::to_string(job_id)});
  return {rows.integer(0, 0), rows.integer(0, 1)};
}

}  // namespace pgsluice::ledger
