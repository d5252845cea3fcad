#include "bench/copy/copy_notes.hpp"

#include <algorithm>
#include <cmath>

#include "base/units.hpp"

namespace pgsluice::bench {

std::vector<std::string> copy_methods() {
  return {
      "rows/s: rows changed, from the first batch's BEGIN to the last one's COMMIT; real runs, ledger and "
      "all",
      "p50, p95, p99: full batches of all lanes, BEGIN to the answer of COMMIT",
      "WAL: what the whole server wrote from before the run to after it, less what others wrote in as much "
      "time when we did not work",
      "HOT: the copy's own counters",
      "heap, index: growth of the copy's files",
      "CPU: of the lanes' own server processes, from /proc; not of checkpointer, WAL writer, autovacuum",
  };
}

std::vector<std::string> copy_notes() {
  return {
      "foreign keys and triggers are not copied: what they cost is not measured",
      "each copy is fresh, vacuumed and frozen, without autovacuum, and not partitioned; WAL holds few "
      "full-page images, for its pages are younger than the last checkpoint",
  };
}

std::string copy_note(std::int64_t rows, double share) {
  const auto percent = static_cast<int>(std::lround(100 * std::min(1.0, share)));
  std::string text = "each copy has " + base::format_count(rows) + " rows, ";
  if (percent >= 100) return text + "all of the table";
  return text + "about " + (percent < 1 ? "less than 1" : std::to_string(percent)) +
         " % of the table: what does not fit into the cache there may be slower";
}

}  // namespace pgsluice::bench
