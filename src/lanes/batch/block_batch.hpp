#pragma once

#include "lanes/batch/batch.hpp"

namespace pgsluice::engine {

/// WAL is measured for one batch in this many, at random: a fixed interval could always hit the same pass.
inline constexpr std::uint32_t kBatchesPerSample = 16;

/// What a batch of a block walk does between BEGIN and COMMIT, both included: run_batch() calls it for a
/// range of blocks, and handles Failures. REQUIRES: work.blocks.
void run_block_batch(pg::Session& session, const BatchWork& work, BatchOutcome& out);

}  // namespace pgsluice::engine
