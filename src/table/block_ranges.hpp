#pragma once

#include <vector>

#include "ledger/range/split.hpp"
#include "pg/catalog/heap.hpp"
#include "walk/blocks.hpp"

namespace pgsluice::engine {

/// The heap's current identity, which its ranges record.
walk::Heap identity_of(const pg::HeapFacts& heap);

/// Cuts heaps into ranges of blocks, a few per lane, none across two heaps; an empty heap has none. Pure.
std::vector<ledger::NewRange> block_ranges(const std::vector<pg::HeapFacts>& heaps, int lanes,
                                           ledger::RangeWalk walk = ledger::RangeWalk::kBlocks);

}  // namespace pgsluice::engine
