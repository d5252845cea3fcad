#pragma once

#include <cstdint>
#include <optional>

#include "lanes/batch/backfill_step.hpp"
#include "ledger/range/split.hpp"

namespace pgsluice::engine {

/// What is left of a range that somebody works on, and where to cut it.
struct Measured {
  std::int64_t rows_left = 0;
  std::optional<pg::Key> middle;  // empty: not worth a cut
};

/// Asks the table and not the estimates, which may be of another time: a sample of its pages, and where that
/// meets too few rows of the range, the key's index as far as `rows_to_split` rows. Nothing is worth a cut
/// that has fewer rows left, or that takes too long to measure. Blocks. Throws Failure.
Measured measure(pg::Session& session, const PreparedBackfill& step, const ledger::Candidate& candidate,
                 std::int64_t rows_to_split);

}  // namespace pgsluice::engine
