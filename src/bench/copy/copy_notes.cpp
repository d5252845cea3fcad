#include "bench/copy/copy_notes.hpp"

#include <algorithm>
#include <cmath>

#include "base/units.hpp"

namespace pgsluice::bench {

std::vector<std::string> copy_methods() {
  return {
      "rows/s: rows changed, from the first batch's BEGIN to the last one's COMMIT; real runs, including the "
      "ledger",
      "p50, p95, p99: full batches of all lanes, BEGIN to the answer of COMMIT",
      "WAL: what the whole server wrote from before the run until after it, minus what others wrote in the "
      "same time without us",
      "HOT: the copy's own counters",
      "heap, index: growth of the copy's files",
      "CPU: of the lanes' own server processes, from /proc; not of checkpointer, WAL writer, autovacuum",
  };
}

std::vector<std::string> copy_notes() {
  return {
      "foreign keys and triggers are not copied: their cost is not measured",
      "each copy is fresh, vacuumed and frozen, without autovacuum, and not partitioned; WAL contains few "
      "full-page images, because its pages are newer than the last checkpoint",
  };
}

std::string copy_note(std::int64_t rows, double share) {
  const auto percent = static_cast<int>(std::lround(100 * std::min(1.0, share)));
  std::string text = "each copy has " + base::format_count(rows) + " rows, ";
  if (percent >= 100) return text + "all of the table";
  return text + "about " + (percent < 1 ? "less than 1" : std::to_string(percent)) +
         " % of the table: if the whole table does not fit into the cache, it may be slower";
}

}  // namespace pgsluice::bench
