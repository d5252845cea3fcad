#pragma once

#include "lanes/batch/backfill_step.hpp"
#include "table/images/images.hpp"

namespace pgsluice::engine {

/// Prepares putting old values back: a fill that walks the images along their places, and changes the rows of
/// the images' table. Leaves one image of each row and builds the index first. A row that no longer holds the
/// new value is quarantined under the images' step, with the reason; unless it is to be overwritten, then
/// only one that is gone. Blocks; may be called again, also by two runs at once. Throws Failure.
PreparedBackfill prepare_restore(pg::Session& session, const Images& images, std::int64_t step_id,
                                 Restore restore);

/// Puts the old values back.
Prepare restoring(Images images, Restore restore);

/// Removes the rows that a copy has inserted: the same along its images. A row that is not as it was copied,
/// or that another table refers to, is quarantined under the copy's step; forced, only the latter.
Prepare removing(Images images, Restore restore);

}  // namespace pgsluice::engine
