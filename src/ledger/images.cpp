#include "ledger/images.hpp"

namespace pgsluice::ledger {
namespace {

constexpr const char* kLockStep = "SELECT FROM pgsluice.step WHERE step_id = $1::bigint FOR UPDATE";

constexpr const char* kNote = R"sql(
INSERT INTO pgsluice.image (step_id, kept_for_hours, table_oid, key_columns, set_columns, types)
VALUES ($1::bigint, $2::int, $3::oid, $4::int2[], $5::int2[], $6::text[])
)sql";

constexpr const char* kShape = R"sql(
SELECT table_oid, key_columns::text[], set_columns::text[], types FROM pgsluice.image WHERE step_id = $1::bigint
)sql";

constexpr const char* kSetKeptFor =
    "UPDATE pgsluice.image SET kept_for_hours = $2::int WHERE step_id = $1::bigint";

constexpr const char* kForget = "DELETE FROM pgsluice.image WHERE step_id = $1::bigint";

constexpr const char* kOfJob = R"sql(
SELECT s.job_id, s.step_id, s.name, pg_catalog.pg_total_relation_size(c.oid), extract(epoch FROM now() - i.created_at)
FROM pgsluice.image i
JOIN pgsluice.step s ON s.step_id = i.step_id
JOIN pg_catalog.pg_class c ON c.relname = 'image_' || i.step_id
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'pgsluice'
)sql";

constexpr const char* kExpired = R"sql(
WHERE NOT EXISTS (SELECT FROM pgsluice.job j WHERE j.job_id = s.job_id AND j.state = 'rolling back')
  AND (s.state = 'done' AND s.ended_at + make_interval(hours => i.kept_for_hours) < now()
       OR s.state = 'rolled back' AND NOT EXISTS (SELECT FROM pgsluice.quarantine q WHERE q.step_id = s.step_id))
)sql";

constexpr const char* kLockJob = "SELECT FROM pgsluice.job WHERE job_id = $1::bigint FOR UPDATE";

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

pg::Value hours_of(std::optional<std::chrono::hours> time) {
  if (!time) return std::nullopt;
  return std::to_string(time->count());
}

}  // namespace

void lock_step(pg::Session& session, std::int64_t step_id) {
  session.exec(kLockStep, {std::to_string(step_id)});
}

void note_images(pg::Session& session, std::int64_t step_id, std::optional<std::chrono::hours> kept_for,
                 const ImagesShape& shape) {
  session.exec(kNote,
               {std::to_string(step_id), hours_of(kept_for), std::to_string(shape.table_oid),
                pg::to_array(shape.key_columns), pg::to_array(shape.set_columns), pg::to_array(shape.types)});
}

std::optional<ImagesShape> images_shape(pg::Session& session, std::int64_t step_id) {
  const auto rows = session.exec(kShape, {std::to_string(step_id)});
  if (rows.empty()) return std::nullopt;
  return ImagesShape{static_cast<std::uint32_t>(rows.integer(0, 0)), pg::from_array(rows.text(0, 1)),
                     pg::from_array(rows.text(0, 2)), pg::from_array(rows.text(0, 3))};
}

void set_kept_for(pg::Session& session, std::int64_t step_id, std::optional<std::chrono::hours> kept_for) {
  session.exec(kSetKeptFor, {std::to_string(step_id), hours_of(kept_for)});
}

void drop_images(pg::Session& session, std::int64_t step_id) {
  session.exec("DROP TABLE IF EXISTS pgsluice.image_" + std::to_string(step_id));
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

bool is_expired(pg::Session& session, const ImagesRecord& images) {
  session.exec(kLockJob, {std::to_string(images.job_id)});
  return !session
              .exec(std::string(kOfJob) + kExpired + " AND s.step_id = $1::bigint",
                    {std::to_string(images.step_id)})
              .empty();
}

void forget_faults(pg::Session& session, std::int64_t step_id, std::int64_t restore_id) {
  session.exec(kForgetFaults, {std::to_string(step_id), std::to_string(restore_id)});
}

bool is_undone(pg::Session& session, std::int64_t step_id) {
  return session.exec(kIsUndone, {std::to_string(step_id)}).boolean(0, 0);
}

}  // namespace pgsluice::ledger
