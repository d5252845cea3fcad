#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pg/catalog/catalog.hpp"
#include "pg/catalog/heap.hpp"
#include "pg/catalog/swallowers.hpp"
#include "pgsluice/job.hpp"
#include "table/walk_choice/boundary.hpp"
#include "walk/keyset.hpp"

namespace pgsluice::engine {

inline constexpr int kVersionWithTidRangeScan = 140000;

/// What the choice of a walk depends on.
struct WalkFacts {
  std::string key_problem;  // why there is no key to walk; empty: there is one
  double key_correlation = 1;
  bool is_delete = false;             // rows leave the table
  bool sets_what_where_asks = false;  // `where` names a column that the step sets: rows can leave it
  int server_version = 0;
  bool has_children = false;              // plain inheritance
  bool moves_between_partitions = false;  // a changed column is part of the partition key
  std::vector<pg::HeapFacts> heaps;
  pg::PageSample page;                          // of the largest heap
  std::vector<std::string> indexes_changed;     // that contain a changed column
  std::vector<std::string> rewriting_triggers;  // that may change other columns too
  std::vector<std::string> write_rules;         // incompatible with a statement that reports what it changed
  std::vector<std::string> silent_replicas;     // that may serve queries unknown to this server
  std::int64_t oldest_snapshot_s = 0;           // of another session's transaction; 0: none worth mentioning

  std::int64_t pages() const;
  /// Rows on an average row's page.
  double rows_per_page() const;
};

/// kKeyset, kBlocks or kInterleaved, and why, in words for `plan` and the event log.
struct WalkChoice {
  Walk walk = Walk::kKeyset;
  std::string reason;
  bool is_horizon_held = false;  // so interleaving cannot pay yet
};

/// Whether the choice depends on what the pages look like: only for a walk over blocks. Pure.
bool is_page_sample_wanted(const BackfillStep& step, const WalkFacts& facts);

/// Takes what the step wants if the facts allow it, else throws Error(kRefused); with Walk::kAuto decides.
/// Pure.
WalkChoice choose_walk(const BackfillStep& step, const WalkFacts& facts);

/// A table with the ways to walk it.
struct WalkedTable {
  std::optional<walk::Keyset> keyset;  // empty: there is no key to walk
  std::optional<Boundary> boundary{};  // the keyset goes along it, up to its end, and not along a unique key
  std::vector<pg::HeapFacts> heaps;
  std::optional<pg::HeapFacts> sampled;  // the heap from which pages were sampled for the choice
  double rows_per_page = 0;
  pg::Swallowers swallowers;
  WalkChoice choice;
};

/// Reads the current catalog, statistics and activity, and chooses. Throws Error(kRefused) for what cannot be
/// walked, Failure. `event`: kDelete if the step deletes the rows that match its `where`; it sets nothing
/// then.
WalkedTable walked_table(pg::Session& session, const BackfillStep& step, const pg::Table& table,
                         pg::RowEvent event = pg::RowEvent::kUpdate);

}  // namespace pgsluice::engine
