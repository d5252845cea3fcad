#pragma once

#include <cstdint>
#include <memory>
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

struct Copying;

/// A step that changes rows in batches as every lane needs it: constant once prepared, so shared freely.
struct PreparedBackfill {
  std::int64_t step_id = 0;
  BackfillStep definition;
  pg::Table table;  // its rows are estimated from a sample of its pages, not from statistics
  std::optional<walk::Keyset> keyset;  // empty: there is no key to walk
  std::vector<pg::HeapFacts> heaps;
  WalkChoice choice;  // for ranges that are cut from now on
  pg::Swallowers swallowers;
  BatchSql sql;
  bool is_delete = false;
  std::optional<Boundary> boundary;  // the keyset ends with it
  std::shared_ptr<const Copying>
      copying{};  // of a copy, whose `table` and key are the source's; else nullptr
  walk::Ground ground;
  std::chrono::milliseconds deadlock_timeout{1'000};

  /// Statements of a batch that may take long.
  int long_statements() const;
  /// A range is cut in two by comparing keys where the ledger is, which may order those of another database
  /// differently, or not know their type.
  bool may_be_split() const;
  /// The heap that a range of blocks belongs to; nullptr: it is gone, or was added after the step was
  /// prepared.
  const pg::HeapFacts* heap_of(const walk::Heap& heap) const;
};

/// Reads the catalog and checks the step against it; creates the table of its before-images if it keeps
/// them. Blocks. Throws Error if the step cannot work.
PreparedBackfill prepare_backfill(pg::Session& session, const BackfillStep& step, std::int64_t step_id,
                                  int lanes);

/// Prepares a fill, for a step or act of that number. Blocks; may be called again. Throws Error, Failure.
using Prepare = std::function<PreparedBackfill(pg::Session&, std::int64_t step_id, int lanes)>;

/// Cuts the step into ranges, a few per lane, from a sample of pages; does nothing if it was cut before.
/// Blocks.
void cut_into_ranges(pg::Session& session, const PreparedBackfill& step, int lanes);

/// Distributes the table's counted rows over its heaps by their pages: each knows only what ANALYZE said.
void share_out(const pg::Table& table, std::vector<pg::HeapFacts>& heaps);

/// The whole table in ranges along its key, the last one without an end. REQUIRES: a key. Blocks.
std::vector<ledger::NewRange> key_ranges(pg::Session& session, const PreparedBackfill& step, int lanes);

/// Rows of the table, estimated from a current sample of pages: statistics may date from when the table was a
/// thousandth of its size. Falls back to the catalog if that takes too long. Blocks. Throws Failure.
std::int64_t count_rows(pg::Session& session, const pg::Table& table);

/// Percent of the table's pages that a sample reads: about kSamplePages, at least one page.
double sample_percent(std::int64_t pages);

}  // namespace pgsluice::engine
