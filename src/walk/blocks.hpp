#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "pg/key.hpp"
#include "walk/fragment.hpp"

namespace pgsluice::walk {

/// A table or leaf partition on disk. VACUUM FULL, CLUSTER, pg_repack and TRUNCATE give it another filenode,
/// and its rows other blocks.
struct Heap {
  std::int64_t oid = 0;
  std::int64_t filenode = 0;

  bool operator==(const Heap&) const = default;
};

/// How blocks are visited: a few windows in turn, each in several passes. A pass changes every passes-th row
/// of each page; the next one reuses the room that the previous one has freed, so its updates are HOT.
/// Windows take turns so that a pass begins after every snapshot that could still see the previous pass. One
/// pass means block after block. Measured in docs/design/interleaving.md.
struct Weave {
  int passes = 1;
  int windows = 1;
  std::int64_t window_pages = 1;

  bool operator==(const Weave&) const = default;
};

/// How far a block walk has committed. Every row before `block` was visited. A group of windows begun there
/// keeps the windows and passes with which it was begun.
struct BlockPosition {
  Heap heap;
  std::int64_t block = 0;
  /// The group that begins at `block`.
  struct Group {
    Weave weave;
    int visit = 0;           // out of passes × windows: pass = visit / windows, window = visit % windows
    std::int64_t place = 0;  // first block not yet visited in this visit

    bool operator==(const Group&) const = default;
  };
  std::optional<Group> group;  // empty: none was begun
  /// The pass of the next batch.
  int pass() const { return group ? group->visit / group->weave.windows : 0; }

  bool operator==(const BlockPosition&) const = default;

  /// As stored in the ledger: oid, filenode, block; for a group that was begun also place, visit, passes,
  /// windows, pages.
  pg::Key key() const;
  /// REQUIRES: written by key().
  static BlockPosition of(const pg::Key& key);
};

/// The rows of one batch, and the position that it commits.
struct BlockBatch {
  std::int64_t first = 0;  // block
  std::int64_t end = 0;    // one past the last block
  int pass = 0;
  Weave weave;
  BlockPosition next;
  bool is_last = false;  // nothing is left below the range's upper end

  bool is_last_pass() const { return pass == weave.passes - 1; }
};

/// The next batch from `at`, below block `upper`, of about `pages` blocks. `weave` is for a group that begins
/// now; if it says one pass, a group in progress jumps to its last pass, which takes all that is left.
/// REQUIRES: at.block < upper. Pure.
BlockBatch next_block_batch(const BlockPosition& at, std::int64_t upper, const Weave& weave,
                            std::int64_t pages);

/// WHERE condition of a batch. The last pass takes everything left, not just its share: a row that the
/// application updated between two passes may have moved to a line pointer whose pass is over.
Fragment block_predicate(const BlockBatch& batch);

/// Where to cut what is left of a range in two; nullopt if the group in progress reaches too far.
std::optional<std::int64_t> block_middle(const BlockPosition& at, std::int64_t upper);

/// "The group in progress ends at or before block $n", for a position that is a text[] column: the first two
/// parameters from `first` on are oid and filenode, the third is the block.
std::string group_ends_by(const std::string& array_expression, int first);

}  // namespace pgsluice::walk
