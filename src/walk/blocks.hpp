#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "pg/key.hpp"
#include "walk/fragment.hpp"

namespace pgsluice::walk {

/// A table or leaf partition on disk. VACUUM FULL, CLUSTER, pg_repack and TRUNCATE give it another filenode:
/// its rows are in other blocks then.
struct Heap {
  std::int64_t oid = 0;
  std::int64_t filenode = 0;

  bool operator==(const Heap&) const = default;
};

/// How blocks are visited: a few windows in turn, each in several passes. A pass changes every passes-th row
/// of each page; the next one finds the room that the one before has freed, so its updates are HOT. Windows
/// take turns so that a pass begins later than every snapshot that could still see the pass before. One pass
/// is block after block. Measured in docs/design/interleaving.md.
struct Weave {
  int passes = 1;
  int windows = 1;
  std::int64_t window_pages = 1;

  bool operator==(const Weave&) const = default;
};

/// How far a block walk has committed. Every row before `block` was visited. A group of windows that was
/// begun there is visited in the windows and passes that it was begun with.
struct BlockPosition {
  Heap heap;
  std::int64_t block = 0;
  /// The group that begins at `block`.
  struct Group {
    Weave weave;
    int visit = 0;           // of passes × windows: pass = visit / windows, window = visit % windows
    std::int64_t place = 0;  // first block of this visit that was not visited yet

    bool operator==(const Group&) const = default;
  };
  std::optional<Group> group;  // empty: none was begun
  /// Of the next batch.
  int pass() const { return group ? group->visit / group->weave.windows : 0; }

  bool operator==(const BlockPosition&) const = default;

  /// As the ledger keeps it: oid, filenode, block; of a group begun also place, visit, passes, windows,
  /// pages.
  pg::Key key() const;
  /// REQUIRES: written by key().
  static BlockPosition of(const pg::Key& key);
};

/// The rows of one batch, and the position that it commits.
struct BlockBatch {
  std::int64_t first = 0;  // block
  std::int64_t end = 0;    // behind the last one
  int pass = 0;
  Weave weave;
  BlockPosition next;
  bool is_last = false;  // nothing is left below the range's upper end

  bool is_last_pass() const { return pass == weave.passes - 1; }
};

/// The next batch from `at`, below block `upper`, of about `pages` blocks. `weave` is for a group that begins
/// now; if it says one pass, a group in work goes on with its last pass, which takes all that is left.
/// REQUIRES: at.block < upper. Pure.
BlockBatch next_block_batch(const BlockPosition& at, std::int64_t upper, const Weave& weave,
                            std::int64_t pages);

/// WHERE condition of a batch. The last pass takes what is left, not its share: a row that the application
/// updated between two passes may have moved to a line pointer whose pass is over.
Fragment block_predicate(const BlockBatch& batch);

/// Where to cut what is left of a range in two; nullopt if the group in work reaches too far.
std::optional<std::int64_t> block_middle(const BlockPosition& at, std::int64_t upper);

/// "The group in work ends at or before block $n", for a position that is a text[] column: the first two
/// parameters from `first` on are oid and filenode, the third is the block.
std::string group_ends_by(const std::string& array_expression, int first);

}  // namespace pgsluice::walk
