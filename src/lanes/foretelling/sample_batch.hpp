#pragma once

#include <optional>
#include <vector>

#include "lanes/batch/backfill_step.hpp"
#include "lanes/foretelling/sampled.hpp"
#include "pg/connection/transaction.hpp"

namespace pgsluice::engine {

/// Where sampled batches begin: behind a key, or at a block of a heap.
struct SamplePlace {
  std::optional<pg::Key> lower;
  pg::Key upper;  // of the table
  const pg::HeapFacts* heap = nullptr;
  std::int64_t block = 0;
};

/// Places spread evenly over the table, in an order in which the first few are spread evenly too. Throws
/// Failure.
std::vector<SamplePlace> sample_places(pg::Session& session, const PreparedBackfill& step, Walk walk,
                                       int count);

/// What a sampled batch needs, for the lane's own thread. REQUIRES: the step outlives it.
struct SampleWork {
  const PreparedBackfill* step = nullptr;
  Walk walk = Walk::kKeyset;
  int passes = 1;          // the batch is of the first
  std::int64_t rows = 1;   // wanted
  std::int64_t pages = 1;  // wanted, in a walk over blocks
  pg::TransactionLimits limits;
};

/// Runs the statements of one batch of the run and rolls them back. Throws Failure, with the transaction
/// rolled back.
SampledBatch run_sample_batch(pg::Session& session, const SampleWork& work, const SamplePlace& place,
                              SampleKind kind, bool is_explained);

}  // namespace pgsluice::engine
