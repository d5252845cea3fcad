#include "table/block_ranges.hpp"

#include <algorithm>

namespace pgsluice::engine {
namespace {

// Windows need long ranges; a lane that runs out splits another lane's.
constexpr std::int64_t kRangesPerLane = 2;
// 128 kB, some 1,000 rows: below it a range costs more to lease than it saves.
constexpr std::int64_t kPagesPerRangeMin = 16;

pg::Key boundary(const pg::HeapFacts& heap, std::int64_t block) {
  return walk::BlockPosition{identity_of(heap), block, std::nullopt}.key();
}

}  // namespace

walk::Heap identity_of(const pg::HeapFacts& heap) {
  return {heap.oid, heap.filenode};
}

std::vector<ledger::NewRange> block_ranges(const std::vector<pg::HeapFacts>& heaps, int lanes,
                                           ledger::RangeWalk walk) {
  std::int64_t pages = 0;
  for (const auto& heap : heaps) pages += heap.pages;
  const auto share =
      std::max(kPagesPerRangeMin, (pages + lanes * kRangesPerLane - 1) / (lanes * kRangesPerLane));
  std::vector<ledger::NewRange> ranges;
  for (const auto& heap : heaps) {
    const auto parts = (heap.pages + share - 1) / share;
    for (std::int64_t part = 0; part < parts; ++part) {
      const auto rows = static_cast<std::int64_t>(heap.rows) / parts;
      ranges.push_back({boundary(heap, heap.pages * part / parts),
                        boundary(heap, heap.pages * (part + 1) / parts), rows, walk});
    }
  }
  return ranges;
}

}  // namespace pgsluice::engine
