#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ledger/range/token.hpp"
#include "pg/connection/session.hpp"

namespace pgsluice::ledger {

/// One piece of a step's key space, yet to be written.
struct NewRange {
  std::optional<pg::Key> lower;
  std::optional<pg::Key> upper;  // empty: the tail, fixed when leased
  std::int64_t rows_expected = 0;
  RangeWalk walk = RangeWalk::kKeyset;
};

/// Writes a step's ranges once, under the step's row lock: a second caller finds them and writes nothing.
void cut(pg::Session& session, std::int64_t step_id, std::int64_t rows_expected,
         const std::vector<NewRange>& ranges);

/// Ends the block ranges of a step that are not done, fencing their owners, and writes others in their place:
/// those of the heap with these first two bounds (oid and filenode), or all if it is empty. False: none was
/// left to end, because another lane or run did it first; nothing is written.
bool recut(pg::Session& session, std::int64_t step_id, const pg::Key& heap,
           const std::vector<NewRange>& ranges);

/// Appends ranges to those of a step, of which there are `known`, all done. False: there are others by now;
/// nothing is written.
bool extend(pg::Session& session, std::int64_t step_id, std::int64_t known,
            const std::vector<NewRange>& ranges);

/// The ranges of a step.
struct RangeCounts {
  std::int64_t blocks = 0;
  std::int64_t keys = 0;  // along a key, a final pass included
  std::int64_t left = 0;  // not done
};
RangeCounts range_counts(pg::Session& session, std::int64_t step_id);

/// The step's total rows: those of ranges that are done, and the expected ones of the others.
std::int64_t rows_expected(pg::Session& session, std::int64_t step_id);

/// A range in progress, to be split.
struct Candidate {
  std::int64_t range_id = 0;
  std::int64_t epoch = 0;
  RangeWalk walk = RangeWalk::kKeyset;
  std::optional<pg::Key> position;
  pg::Key upper;
  std::int64_t rows_left = 0;
  bool is_longer_than_expected = false;  // then it is not known how many rows are left
};
/// How many are examined for one split.
inline constexpr int kCandidatesMost = 8;
/// First those that are longer than expected, then those with the most rows left; ranges that are put off are
/// excluded.
std::vector<Candidate> largest_remaining(pg::Session& session, std::int64_t step_id,
                                         const std::set<std::int64_t>& put_off);

/// Writes `position < middle` for the position expression and the number of the first parameter, typed like
/// the key.
using IsBefore = std::function<std::string(const std::string& position, int first_parameter)>;

/// Cuts the candidate at `middle` if its position is still before it, and raises its epoch, so that the
/// owner's next batch is fenced and the owner leases the shorter range again. Waits for the batch in flight.
/// Both halves are expected to hold half of candidate.rows_left. Returns the new range's id.
std::optional<std::int64_t> split(pg::Session& session, std::int64_t step_id, const Candidate& candidate,
                                  const pg::Key& middle, const IsBefore& is_before);

/// Moves the position of our own range to the upper end of `apart`, which becomes a separate range, also
/// ours. REQUIRES: apart.lower is the position. Empty: fenced, nothing was changed.
std::optional<Token> set_apart(pg::Session& session, std::int64_t step_id, const Range& range,
                               const pg::Key& position, const NewRange& apart);

}  // namespace pgsluice::ledger
