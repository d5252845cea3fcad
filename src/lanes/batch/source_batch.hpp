#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pg/connection/session.hpp"
#include "pg/failure.hpp"
#include "pg/key.hpp"
#include "table/copy/copying.hpp"
#include "walk/keyset.hpp"

namespace pgsluice::engine {

/// Bytes of one batch of a copy, but for its last row. A lane has two in memory, one being written and one
/// being read: eight lanes stay below 150 MB.
inline constexpr std::size_t kBatchBytesMost = 8'388'608;

/// What to read at the source.
struct SourceWanted {
  std::optional<pg::Key> from;  // the position
  pg::Key range_upper;
  std::int64_t rows = 0;
  bool is_cut_only = false;  // where it ends, without its rows: one of them cannot be read

  bool operator==(const SourceWanted&) const = default;
};

/// One batch of a copy, whole in memory.
struct SourceBatch {
  SourceWanted wanted;
  pg::Key end;                                       // the position after it
  bool is_last = false;                              // of its range
  std::int64_t visited = 0;                          // rows of the source
  std::int64_t rows = 0;                             // of these, rows to copy
  std::string lines;                                 // as COPY takes them
  std::vector<std::optional<std::int64_t>> highest;  // of Copying::sequences, in these rows
};

/// A failure at the source, in its words, with where the batch would have ended if that was known.
class SourceFailure : public pg::Failure {
 public:
  SourceFailure(const pg::Failure& cause, std::optional<pg::Key> end);
  const std::optional<pg::Key>& end() const { return end_; }

 private:
  std::optional<pg::Key> end_;
};

/// Reads a batch in a short read-only transaction of its own. Blocks. Throws SourceFailure.
SourceBatch read_batch(pg::Session& source, const Copying& copying, const walk::Keyset& keyset,
                       const SourceWanted& wanted);

}  // namespace pgsluice::engine
