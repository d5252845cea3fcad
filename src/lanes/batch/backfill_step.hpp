#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lanes/batch/batch.hpp"
#include "ledger/range/split.hpp"
#include "pg/catalog/catalog.hpp"
#include "pgsluice/job.hpp"
#include "table/walk_choice/walk_choice.hpp"
#include "walk/interleaving.hpp"
#include "walk/keyset.hpp"

namespace pgsluice::engine {

/// A backfill step as every lane needs it: constant once prepared, so shared freely.
struct PreparedBackfill {
  std::int64_t step_id = 0;
  BackfillStep definition;
  pg::Table table;  // its rows are estimated from a sample of its pages, not from statistics
  std::optional<walk::Keyset> keyset;  // empty: there is no key to walk
  std::vector<pg::HeapFacts> heaps;
  WalkChoice choice;  // for ranges that are cut from now on
  UpdateSql update_sql;
  BlockUpdateSql block_update_sql;
  pg::Swallowers swallowers;
  SelectedSql selected_sql;  // empty unless one of these may leave a row unchanged
  walk::Ground ground;
  std::chrono::milliseconds deadlock_timeout{1'000};

  /// Per batch: its UPDATE, and the count of what that selects.
  int long_statements() const { return selected_sql ? 2 : 1; }
  /// The heap that a range of blocks belongs to; nullptr: it is gone, or was added after the step was
  /// prepared.
  const pg::HeapFacts* heap_of(const walk::Heap& heap) const;
};

/// Reads the catalog and checks the step against it. Blocks. Throws Error if the step cannot work.
PreparedBackfill prepare_backfill(pg::Session& session, const BackfillStep& step, std::int64_t step_id,
                                  int lanes);

/// Cuts the step into ranges, a few per lane, from a sample of pages; does nothing if it was cut before.
/// Blocks.
void cut_into_ranges(pg::Session& session, const PreparedBackfill& step, int lanes);

/// The whole table in ranges along its key, the last one without an end. REQUIRES: a key. Blocks.
std::vector<ledger::NewRange> key_ranges(pg::Session& session, const PreparedBackfill& step, int lanes);

/// Percent of the table's pages that a sample reads: about kSamplePages, at least one page.
double sample_percent(std::int64_t pages);

}  // namespace pgsluice::engine
