#include "ledger/images.hpp"

namespace pgsluice::ledger {
namespace {

constexpr const char* kLockStep = "SELECT FROM pgsluice.step WHERE step_id = $1::bigint FOR UPDATE";

constexpr const char* kNote = R"sql(
INSERT INTO pgsluice.image (step_id, kept_for_hours) VALUES ($1::bigint, $2::int)
ON CONFLICT (step_id) DO UPDATE SET kept_for_hours = excluded.kept_for_hours
)sql";

constexpr const char* kForget = "DELETE FROM pgsluice.image WHERE step_id = $1::bigint";

constexpr const char* kOfJob = R"sql(
SELECT s.job_id, s.step_id, s.name, pg_catalog.pg_total_relation_size(c.oid), extract(epoch FROM now() - i.created_at)
FROM pgsluice.image i
JOIN pgsluice.step s ON s.step_id = i.step_id
JOIN pg_catalog.pg_class c ON c.relname = 'image_' || i.step_id
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'pgsluice'
)sql";

constexpr const char* kExpired = R"sql(
WHERE s.state = 'done' AND s.ended_at + make_interval(hours => i.kept_for_hours) < now()
  AND NOT EXISTS (SELECT FROM pgsluice.job j WHERE j.job_id = s.job_id AND j.state = 'rolling back')
)sql";

constexpr const char* kForgetFaults = R"sql(
DELETE FROM pgsluice.quarantine
WHERE step_id = $1::bigint AND NOT EXISTS (SELECT FROM pgsluice.range WHERE step_id = $2::bigint)
)sql";

constexpr const char* kIsUndone = R"sql(
SELECT EXISTS (SELECT FROM pgsluice.step WHERE step_id = $1::bigint AND state IN ('waiting', 'rolled back'))
)sql";

std::vector<ImagesRecord> read_images(const pg::Rows& rows) {
  std::vector<ImagesRecord> out;
  for (std::size_t i = 0; i < rows.size(); ++i)
    out.push_back(
        {rows.integer(i, 0), rows.integer(i, 1), rows.text(i, 2), rows.integer(i, 3), rows.real(i, 4)});
  return out;
}

}  // namespace

void lock_step(pg::Session& session, std::int64_t step_id) {
  session.exec(kLockStep, {std::to_string(step_id)});
}

void note_images(pg::Session& session, std::int64_t step_id, std::optional<std::chrono::hours> kept_for) {
  pg::Value hours;
  if (kept_for) hours = std::to_string(kept_for->count());
  session.exec(kNote, {std::to_string(step_id), hours});
}

void forget_images(pg::Session& session, std::int64_t step_id) {
  session.exec(kForget, {std::to_string(step_id)});
}

std::vector<ImagesRecord> images_of_jobs(pg::Session& session, const pg::Key& job_ids) {
  return read_images(
      session.exec(std::string(kOfJob) + "WHERE s.job_id = ANY ($1::bigint[]) ORDER BY s.number",
                   {pg::to_array(job_ids)}));
}

std::vector<ImagesRecord> expired_images(pg::Session& session) {
  return read_images(session.exec(std::string(kOfJob) + kExpired, pg::Params{}));
}

void forget_faults(pg::Session& session, std::int64_t step_id, std::int64_t restore_id) {
  session.exec(kForgetFaults, {std::to_string(step_id), std::to_string(restore_id)});
}

bool is_undone(pg::Session& session, std::int64_t step_id) {
  return session.exec(kIsUndone, {std::to_string(step_id)}).boolean(0, 0);
}

}  // namespace pgsluice::ledger
