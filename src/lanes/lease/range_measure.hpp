#pragma once

#include <cstdint>
#include <optional>

#include "lanes/batch/backfill_step.hpp"
#include "ledger/range/split.hpp"

namespace pgsluice::engine {

/// What is left of a range in progress, and where to cut it.
struct Measured {
  std::int64_t rows_left = 0;
  std::optional<pg::Key> middle;  // empty: not worth a cut
};

/// Asks the table, not the estimates, which may be out of date: a sample of its pages, or, if that hits too
/// few rows of the range, the key's index for up to `rows_to_split` rows. A range with fewer rows left, or
/// one that takes too long to measure, is not worth a cut. Blocks. Throws Failure.
Measured measure(pg::Session& session, const PreparedBackfill& step, const ledger::Candidate& candidate,
                 std::int64_t rows_to_split);

}  // namespace pgsluice::engine
