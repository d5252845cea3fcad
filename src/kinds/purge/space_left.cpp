#include "kinds/purge/space_left.hpp"

#include <algorithm>

#include "base/units.hpp"

namespace pgsluice::engine {
namespace {

// Less is used again by what a table grows in a while.
constexpr double kShareWorthAWord = 0.2;
constexpr double kBytesWorthAWord = 8e6;

}  // namespace

SpaceAdvice space_advice(const SpaceFacts& facts) {
  if (facts.deleted <= 0) return {};
  const auto deleted = static_cast<double>(facts.deleted);
  const double share = deleted / (deleted + static_cast<double>(std::max<std::int64_t>(0, facts.rows)));
  double index_bytes = 0;
  for (const auto& index : facts.storage.indexes) index_bytes += static_cast<double>(index.bytes);
  const auto heap_bytes = static_cast<double>(facts.storage.heap_bytes);
  if (share < kShareWorthAWord || share * (heap_bytes + index_bytes) < kBytesWorthAWord) return {};
  SpaceAdvice advice;
  advice.text = base::format_count(facts.deleted) + " of about " +
                base::format_count(facts.deleted + facts.rows) + " rows of table " + facts.table_sql +
                " are gone; an estimated " + base::format_bytes(share * heap_bytes) + " of its " +
                base::format_bytes(heap_bytes) + " and " + base::format_bytes(share * index_bytes) +
                " of its indexes' " + base::format_bytes(index_bytes) +
                (facts.is_vacuumed ? " are free for new rows" : " are free for new rows after VACUUM");
  advice.hint =
      "leave it if the table grows back to its size; else REINDEX TABLE CONCURRENTLY gives back the indexes' "
      "part, "
      "and VACUUM FULL, which locks the table, or pg_repack the rest";
  return advice;
}

}  // namespace pgsluice::engine
