#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// How a sampled batch was run. Each place of the table gets one of each, over the same rows. No row is
/// changed twice: the second time it would find its page full of what the first time left.
enum class SampleKind {
  kFirst,   // half of the rows: reads cold pages, and writes images of pages that have none yet
  kSecond,  // the other half, on the same pages: warm, with few images
  kVisit,   // none of them: what coming by costs
  kOneRow,  // none, of one row: what a batch costs whatever its size
};

/// What one rolled-back batch showed. A value.
struct SampledBatch {
  SampleKind kind = SampleKind::kFirst;
  bool is_explained = false;  // its WAL and its HOT updates are known, its duration is not
  std::int64_t visited = 0;   // all of them, whatever half it changes
  std::int64_t changed = 0;
  std::int64_t hot = 0;
  double seconds = 0;
  double wal_bytes = 0;
  double page_images = 0;
};

/// A later pass of an interleaved walk, as an empty likeness of the table showed it: its rows find room on
/// their page. Sums over all lanes.
struct SampledPass {
  std::int64_t timed_rows = 0;
  double timed_s = 0;
  std::int64_t explained_rows = 0;
  double wal_bytes = 0;
};

/// Whole pages that were read, spread evenly over the heaps.
struct SampledPages {
  std::int64_t pages = 0;      // read
  double rows = 0;             // on them
  double matching = 0;         // of these, rows that match `where`
  double matching_pages = 0;   // pages with such a row
  double matching_spread = 0;  // standard deviation of a page's matching rows
  double seconds = 0;          // that reading them took
  std::int64_t pages_all = 0;  // of all heaps
};

/// What the catalog tells about one index for estimating its growth.
struct IndexShape {
  std::string name;
  double bytes = 0;
  double entries = 0;
  double entry_bytes = 0;  // of a leaf, with its line pointer, by the widths of the statistics; 0: not known
  bool is_btree = true;
  bool is_changed = false;  // it holds a column that the step sets
  bool is_local = true;     // its order is the walk's: a batch touches neighbouring leaves
  double grown_bytes = 0;   // during the sampling
};

/// The server's settings on which page images depend.
struct CheckpointFacts {
  bool has_images = true;      // full_page_writes
  double timeout_s = 300;      // between two checkpoints at most
  double wal_bytes = 1 << 30;  // max_wal_size
};

/// All that estimates are made of. A value.
struct Sampled {
  Walk walk = Walk::kKeyset;
  int passes = 1;
  int lanes = 1;
  double rows_per_page = 1;
  bool is_heap_local = true;      // the walk meets the heap's pages in their order
  bool is_index_changed = false;  // one holds a column that the step sets: no update is HOT
  BatchLimits batch;
  bool is_run_next = false;  // so that the images of pages that samples touched are written already
  double pace = 1;           // at which lanes may go
  double trip_s = 0;         // one statement that does nothing, there and back
  SampledPages pages;
  std::vector<SampledBatch> batches;
  SampledPass pass;
  double heap_grown_bytes = 0;
  std::vector<IndexShape> indexes;
  CheckpointFacts checkpoints;

  double rows_visited() const {
    return pages.pages > 0
               ? pages.rows / static_cast<double>(pages.pages) * static_cast<double>(pages.pages_all)
               : 0;
  }
  double rows_matching() const {
    return pages.pages > 0
               ? pages.matching / static_cast<double>(pages.pages) * static_cast<double>(pages.pages_all)
               : 0;
  }
};

}  // namespace pgsluice::engine
