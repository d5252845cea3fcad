#pragma once

#include <optional>
#include <string>

namespace pgsluice {

/// A quantity that is foretold: the likely value, and a range that it should fall into.
struct Span {
  double low = 0;
  double likely = 0;
  double high = 0;

  bool operator==(const Span&) const = default;
};

/// What a backfill step will cost, before it runs. Times do not include holds.
struct Foretold {
  bool is_sampled = false;          // from batches that were run and rolled back; else from the catalog alone
  std::string basis;                // in words: from what it was made, or why no batch was sampled
  Span rows;                        // that will be changed
  Span seconds;                     // from the first batch to the end of the step
  Span wal_bytes;                   // written by the step itself
  Span heap_bytes;                  // by which the table grows
  Span index_bytes;                 // by which its indexes grow
  std::optional<Span> image_bytes;  // of before-images; empty: none are kept

  bool operator==(const Foretold&) const = default;
};

/// What came true of it. Empty: not over yet, or it cannot be said of a step that several runs worked on.
struct CameTrue {
  std::optional<double> rows;
  std::optional<double> seconds;
  std::optional<double> wal_bytes;
  std::optional<double> heap_bytes;
  std::optional<double> index_bytes;
  std::optional<double> image_bytes;
};

}  // namespace pgsluice
