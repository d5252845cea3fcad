#pragma once

#include "lanes/batch/backfill_step.hpp"
#include "lanes/foretelling/sampled.hpp"

namespace pgsluice::engine {

/// Pages that are read: the rows of a table are then known to about one per cent, and reading them takes some
/// 50 ms from memory.
constexpr std::int64_t kPagesRead = 1'500;

/// Counts rows, and those that match `where`, on pages that are spread evenly over all heaps. Blocks. Throws
/// Failure.
SampledPages read_pages(pg::Session& session, const PreparedBackfill& step);

}  // namespace pgsluice::engine
