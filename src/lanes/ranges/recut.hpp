#pragma once

#include <string>

#include "lanes/batch/backfill_step.hpp"

namespace pgsluice::engine {

/// What a step's ranges of blocks became, in words for the event log; an empty cause: another lane or run had
/// already cut them.
struct Recut {
  std::string to;
  std::string cause;
  bool is_heap_gone = false;  // a partition no longer belongs to the table: its ranges have ended
};

/// Cuts ranges of blocks again because of what a batch met: those of one heap from its first block if it was
/// rewritten, none if it was detached or dropped; else all of the step along its key. REQUIRES: a key, if
/// misfit is not kHeapRewritten. Blocks. `walk` is that of the range.
Recut cut_anew(pg::Session& session, const PreparedBackfill& step, int lanes, ledger::RangeWalk walk,
               const walk::Heap& heap, Misfit misfit);

}  // namespace pgsluice::engine
