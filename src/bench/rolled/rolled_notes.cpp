#include "bench/rolled/rolled_notes.hpp"

#include "base/units.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::bench {

std::vector<Walk> rolled_walks(const std::vector<Walk>& wanted, std::vector<std::string>& left_out) {
  std::vector<Walk> walks;
  const std::vector all{Walk::kKeyset, Walk::kBlocks, Walk::kInterleaved};
  for (const auto walk : wanted.empty() ? all : wanted) {
    if (walk != Walk::kInterleaved) {
      walks.push_back(walk);
    } else {
      left_out.emplace_back(
          "interleaved: its gain comes from commits, which rolled-back batches lack; bench it with --copy");
    }
  }
  if (walks.empty()) {
    throw Error(ExitCode::kUsage, "none of the requested walks can be measured with rolled-back batches",
                "add keyset or blocks to --walks, or give --copy");
  }
  return walks;
}

std::vector<std::string> rolled_methods() {
  return {
      "rows/s: rows changed, from a trial's first BEGIN to its last ROLLBACK; without the position's UPDATE "
      "and without COMMIT",
      "p50, p95, p99: full batches of all lanes, BEGIN to the answer of ROLLBACK; sampled ones are not "
      "counted",
      "WAL: EXPLAIN (ANALYZE, WAL) of every 8th batch's UPDATE, including full-page images, excluding what "
      "others write",
      "HOT: the lane's own counters before and after the same sampled batches",
      "heap, index: growth of the files during the trial, including growth caused by others",
      "CPU: of the lanes' own server processes, from /proc; not of checkpointer, WAL writer, autovacuum",
  };
}

std::vector<std::string> rolled_notes(const std::vector<std::string>& triggers, std::int64_t growth_max) {
  std::vector<std::string> notes{
      "HOT, WAL and growth are those of rolled-back batches: a run commits, so old row versions can be "
      "pruned and its next batches reuse that space; --copy shows that",
      "every trial leaves dead row versions in the table and its indexes, here up to " +
          base::format_bytes(static_cast<double>(growth_max)) + " until vacuum",
      "deferred constraints and triggers fire at COMMIT and were not measured",
  };
  for (const auto& trigger : triggers) {
    notes.push_back("trigger \"" + trigger +
                    "\" fired for every row changed: what it does outside the transaction is not undone");
  }
  return notes;
}

}  // namespace pgsluice::bench
