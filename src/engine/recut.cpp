#include "engine/recut.hpp"

#include <algorithm>

#include "base/failpoint.hpp"
#include "engine/block_ranges.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::engine {
namespace {

Recut begin_heap_again(pg::Session& session, const PreparedBackfill& step, int lanes, ledger::RangeWalk walk,
                       const walk::Heap& rewritten) {
  auto heaps = pg::read_heaps(session, step.table.oid);
  std::erase_if(heaps, [&](const pg::HeapFacts& heap) { return heap.oid != rewritten.oid; });
  if (!heaps.empty() && heaps.front().filenode == rewritten.filenode) {
    throw Error(ExitCode::kFailed,
                "partition " + heaps.front().table_sql +
                    " was attached after this run had begun, and another run cut it",
                "run again: the job goes on where it stopped, with the partitions of now");
  }
  const pg::Key key{std::to_string(rewritten.oid), std::to_string(rewritten.filenode)};
  base::failpoint("blocks_recut");
  if (!ledger::recut(session, step.step_id, key, block_ranges(heaps, lanes, walk))) return {};
  if (heaps.empty()) return {"nothing", "a partition of the table is gone"};
  return {"blocks from the first one again",
          heaps.front().table_sql + " was rewritten (VACUUM FULL, CLUSTER, TRUNCATE or pg_repack)"};
}

}  // namespace

Recut cut_anew(pg::Session& session, const PreparedBackfill& step, int lanes, ledger::RangeWalk walk,
               const walk::Heap& heap, Misfit misfit) {
  if (misfit == Misfit::kHeapRewritten) return begin_heap_again(session, step, lanes, walk, heap);
  auto ranges = key_ranges(session, step, lanes);
  // Nothing was counted yet if rows match again in the walk itself, so these count as any others.
  if (misfit == Misfit::kNone || walk == ledger::RangeWalk::kSweep) {
    for (auto& range : ranges) range.walk = ledger::RangeWalk::kFinal;
  }
  base::failpoint("blocks_recut");
  if (!ledger::recut(session, step.step_id, {}, ranges)) return {};
  return {"keyset", misfit == Misfit::kStillMatches
                        ? "a row that was changed matches `where` again"
                        : "a row cannot be changed, and is looked for along the key"};
}

}  // namespace pgsluice::engine
