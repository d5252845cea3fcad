#pragma once

#include <vector>

#include "lanes/batch/backfill_step.hpp"
#include "lanes/foretelling/sampled.hpp"

namespace pgsluice::engine {

/// Every index of the table, partitions included. Reads catalog and statistics. Throws Failure.
std::vector<IndexShape> read_index_shapes(pg::Session& session, const PreparedBackfill& step, Walk walk);

/// True if rows that are neighbours in the walk are neighbours in the heap.
bool is_heap_walked_in_order(pg::Session& session, const PreparedBackfill& step, Walk walk);

CheckpointFacts read_checkpoint_facts(pg::Session& session);

}  // namespace pgsluice::engine
