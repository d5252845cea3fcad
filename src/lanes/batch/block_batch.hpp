#pragma once

#include "lanes/batch/batch.hpp"

namespace pgsluice::engine {

/// WAL is asked of one batch in so many, at random: a fixed number could always meet the same pass.
inline constexpr std::uint32_t kBatchesPerSample = 16;

/// What a batch of a block walk does between BEGIN and COMMIT, both included: run_batch() calls it for a
/// range of blocks, and reads Failures. REQUIRES: work.blocks.
void run_block_batch(pg::Session& session, const BatchWork& work, BatchOutcome& out);

}  // namespace pgsluice::engine
