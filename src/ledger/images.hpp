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

/// Notes that the step keeps images: until they are freed, or for that long after its end. What was noted
/// before stands, but for the time.
void note_images(pg::Session& session, std::int64_t step_id, std::optional<std::chrono::hours> kept_for);
void forget_images(pg::Session& session, std::int64_t step_id);

/// Images of these jobs (their numbers) that are there, in the order of steps.
std::vector<ImagesRecord> images_of_jobs(pg::Session& session, const pg::Key& job_ids);
/// Images of any job whose time is over.
std::vector<ImagesRecord> expired_images(pg::Session& session);

/// Before its images are put back: forgets the rows that the fill quarantined, unless `restore_id`, the act
/// that restores, has begun.
void forget_faults(pg::Session& session, std::int64_t step_id, std::int64_t restore_id);
/// Nothing of the step is left to undo.
bool is_undone(pg::Session& session, std::int64_t step_id);

}  // namespace pgsluice::ledger
