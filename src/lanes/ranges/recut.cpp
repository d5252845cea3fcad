#include "lanes/ranges/recut.hpp"

#include <algorithm>

#include "base/failpoint.hpp"
#include "pgsluice/error.hpp"
#include "table/block_ranges.hpp"

namespace pgsluice::engine {
namespace {

Recut begin_heap_again(pg::Session& session, const PreparedBackfill& step, int lanes, ledger::RangeWalk walk,
                       const walk::Heap& rewritten) {
  auto heaps = pg::read_heaps(session, step.table.oid);
  std::erase_if(heaps, [&](const pg::HeapFacts& heap) { return heap.oid != rewritten.oid; });
  if (!heaps.empty() && heaps.front().filenode == rewritten.filenode) {
    throw Error(
        ExitCode::kFailed,
        "partition " + heaps.front().table_sql + " was attached or renamed after this run had started",
        "run again: the job continues where it stopped, with the current partitions");
  }
  const pg::Key key{std::to_string(rewritten.oid), std::to_string(rewritten.filenode)};
  base::failpoint("blocks_recut");
  if (!ledger::recut(session, step.step_id, key, block_ranges(heaps, lanes, walk))) return {};
  if (heaps.empty()) {
    const auto* gone = step.heap_of(rewritten);
    return {"nothing",
            "partition " + (gone ? gone->table_sql : "with oid " + key.front()) +
                " was detached or dropped from table " + step.table.sql() + " while it was walked",
            true};
  }
  return {"blocks again from the first one",
          heaps.front().table_sql + " was rewritten (VACUUM FULL, CLUSTER, TRUNCATE or pg_repack)", false};
}

}  // namespace

Recut cut_anew(pg::Session& session, const PreparedBackfill& step, int lanes, ledger::RangeWalk walk,
               const walk::Heap& heap, Misfit misfit) {
  if (misfit == Misfit::kHeapRewritten) return begin_heap_again(session, step, lanes, walk, heap);
  auto ranges = key_ranges(session, step, lanes);
  // If rows still match during the walk itself, nothing has been counted yet, so they count like any others.
  if (misfit == Misfit::kNone || walk == ledger::RangeWalk::kSweep) {
    for (auto& range : ranges) range.walk = ledger::RangeWalk::kFinal;
  }
  base::failpoint("blocks_recut");
  if (!ledger::recut(session, step.step_id, {}, ranges)) return {};
  return {"keyset",
          misfit == Misfit::kStillMatches ? "a changed row still matches `where`"
                                          : "a row cannot be changed; searching for it along the key",
          false};
}

}  // namespace pgsluice::engine
