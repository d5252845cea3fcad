#include "bench/rolled/block_strip.hpp"

#include <algorithm>
#include <cmath>

#include "table/block_update.hpp"
#include "walk/blocks.hpp"

namespace pgsluice::bench {
namespace {

double rows_per_page(const pg::HeapFacts& heap) {
  return heap.pages > 0 ? std::max(1.0, heap.rows / static_cast<double>(heap.pages)) : 1;
}

}  // namespace

StripBatch BlockStrip::next(pg::Session& session, std::int64_t rows) {
  const auto wanted = static_cast<std::int64_t>(std::ceil(static_cast<double>(rows) / rows_per_page(heap_)));
  walk::BlockBatch batch;
  batch.first = block_;
  batch.end = std::min(end_, block_ + std::max<std::int64_t>(1, wanted));
  block_ = batch.end;
  auto predicate = walk::block_predicate(batch);
  session.exec(steps::count_blocks_sql(heap_),
               predicate.params);  // because a run counts the visited rows too
  StripBatch out;
  out.update_sql = steps::block_update_sql(table_, step_, heap_, predicate.sql,
                                           static_cast<int>(predicate.params.size()) + 1);
  out.params = std::move(predicate.params);
  out.params.emplace_back(std::to_string(heap_.oid));
  out.is_full = batch.end - batch.first >= wanted;
  out.is_counted = true;
  return out;
}

std::vector<std::unique_ptr<Strip>> cut_by_blocks(const std::vector<pg::HeapFacts>& heaps,
                                                  const pg::Table& table, const BackfillStep& step,
                                                  int count) {
  std::int64_t pages = 0;
  for (const auto& heap : heaps) pages += heap.pages;
  const auto each = std::max<std::int64_t>(1, (pages + count - 1) / count);
  std::vector<std::unique_ptr<Strip>> strips;
  for (const auto& heap : heaps) {
    for (std::int64_t first = 0; first < heap.pages; first += each) {
      strips.push_back(
          std::make_unique<BlockStrip>(table, step, heap, first, std::min(heap.pages, first + each)));
    }
  }
  return strips;
}

}  // namespace pgsluice::bench
