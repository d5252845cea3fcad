#pragma once

#include <cstdint>
#include <string>

#include "pg/connection/session.hpp"

namespace pgsluice::engine {

/// Frees the before-images of a job and notes in its event log who did it. Returns the bytes freed. Throws
/// Error(kRefused) while a run or rollback of it is live or left unfinished. Blocks. REQUIRES: the job
/// exists.
std::int64_t drop_undo(pg::Session& session, const std::string& job, const std::string& actor);

/// Frees the images of any job whose time is over; what cannot be locked soon waits for the next call.
/// Returns the steps' names. Blocks.
std::vector<std::string> drop_expired_images(pg::Session& session);

}  // namespace pgsluice::engine
