#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "bench/rolled/strip.hpp"
#include "pg/catalog/heap.hpp"

namespace pgsluice::bench {

/// Blocks of one heap, one after the other.
class BlockStrip final : public Strip {
 public:
  /// Blocks first to end - 1. REQUIRES: table and step outlive it.
  BlockStrip(const pg::Table& table, const BackfillStep& step, pg::HeapFacts heap, std::int64_t first,
             std::int64_t end)
      : table_(table), step_(step), heap_(std::move(heap)), first_(first), end_(end), block_(first) {}

  StripBatch next(pg::Session& session, std::int64_t rows) override;
  bool is_over() const override { return block_ >= end_; }
  void start_again() override { block_ = first_; }

 private:
  const pg::Table& table_;
  const BackfillStep& step_;
  pg::HeapFacts heap_;
  std::int64_t first_;
  std::int64_t end_;
  std::int64_t block_;
};

/// Cuts the heaps into strips of about the same number of blocks.
std::vector<std::unique_ptr<Strip>> cut_by_blocks(const std::vector<pg::HeapFacts>& heaps,
                                                  const pg::Table& table, const BackfillStep& step,
                                                  int count);

}  // namespace pgsluice::bench
