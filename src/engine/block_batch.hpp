#pragma once

#include "engine/batch.hpp"

namespace pgsluice::engine {

/// What a batch of a block walk does between BEGIN and COMMIT, both included: run_batch() calls it for a
/// range of blocks, and reads Failures. REQUIRES: work.blocks.
void run_block_batch(pg::Session& session, const BatchWork& work, BatchOutcome& out);

}  // namespace pgsluice::engine
