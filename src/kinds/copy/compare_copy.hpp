#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "pg/connection/session.hpp"
#include "pg/key.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// What a comparison of both sides of a copy found.
struct CopyComparison {
  std::int64_t rows = 0;           // of the source, that were to be copied
  std::int64_t missing = 0;        // at the target
  std::int64_t different = 0;      // there, with other values
  std::vector<std::string> named;  // the first of these rows, in words
  bool is_given_up = false;        // too many: there may be more

  /// "2 of 5,000 rows missing or different: row 17 is different; row 40 is missing".
  std::string in_words() const;
};

/// Of these keys, those whose rows are known to be on their way: they do not count.
using OnTheirWay = std::function<std::set<pg::Key>(const std::vector<pg::Key>& keys)>;

/// Compares every row of the source that is to be copied with the target's row of its key: slice by slice,
/// by count and sum of hashes, and where these differ row by row. Rows that only the target has do not count:
/// they may be its own. A row is looked at twice before it counts, since the application may be changing it.
/// With kSkip a row that is there is right whatever it holds. Blocks. Throws Error, Failure.
CopyComparison compare_copy(pg::Session& source, pg::Session& target, const CopyStep& step,
                            const OnTheirWay& on_their_way = {});

}  // namespace pgsluice::engine
