#pragma once

#include "lanes/batch/batch.hpp"

namespace pgsluice::engine {

/// A batch of a copy: waits until its rows are whole in memory, then writes them in one short transaction
/// with the position. run_batch() calls it, and handles Failures. REQUIRES: work.source. Throws Error if the
/// source stays away.
void run_copy_batch(pg::Session& session, const BatchWork& work, BatchOutcome& out);

}  // namespace pgsluice::engine
