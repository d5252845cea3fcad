#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pg/connection/session.hpp"
#include "pg/key.hpp"

namespace pgsluice::ledger {

/// The before-images of a step, as the ledger knows them; their table is pgsluice.image_<step_id>.
struct ImagesRecord {
  std::int64_t job_id = 0;
  std::int64_t step_id = 0;
  std::string step;
  std::int64_t bytes = 0;  // with TOAST and indexes
  double age_s = 0;        // since the first image could be written
};

/// In the caller's transaction: locks the step's row, so that two runs do not prepare its images at once.
void lock_step(pg::Session& session, std::int64_t step_id);

/// What images were written of: names may change later, these numbers do not.
struct ImagesShape {
  std::uint32_t table_oid = 0;
  std::vector<std::string> key_columns;  // attnums, in the order of k1, k2, …
  std::vector<std::string> set_columns;  // of o1, n1, …
  std::vector<std::string> types;        // of the key's and then the other columns, with their modifiers

  bool operator==(const ImagesShape&) const = default;
};

/// Notes that the step keeps images of this shape: until they are freed, or for that long after its end.
void note_images(pg::Session& session, std::int64_t step_id, std::optional<std::chrono::hours> kept_for,
                 const ImagesShape& shape);
/// nullopt: the step keeps none. REQUIRES: a ledger.
std::optional<ImagesShape> images_shape(pg::Session& session, std::int64_t step_id);
/// The job file says for how long now. Nothing for a step without images.
void set_kept_for(pg::Session& session, std::int64_t step_id, std::optional<std::chrono::hours> kept_for);

/// In the caller's transaction, frees a step's images if there are any. Throws Failure 55P03 while somebody
/// reads them.
void drop_images(pg::Session& session, std::int64_t step_id);

/// Images of these jobs (their numbers) that are there, in the order of steps.
std::vector<ImagesRecord> images_of_jobs(pg::Session& session, const pg::Key& job_ids);
/// Images of any job whose time is over, or that a rollback has used up.
std::vector<ImagesRecord> expired_images(pg::Session& session);
/// In the caller's transaction, with the job locked: it is still so.
bool is_expired(pg::Session& session, const ImagesRecord& images);

/// Before its images are put back: forgets the rows that the fill quarantined, unless `restore_id`, the act
/// that restores, has begun.
void forget_faults(pg::Session& session, std::int64_t step_id, std::int64_t restore_id);
/// Nothing of the step is left to undo.
bool is_undone(pg::Session& session, std::int64_t step_id);

}  // namespace pgsluice::ledger
