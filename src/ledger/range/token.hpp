#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "pg/key.hpp"

namespace pgsluice::ledger {

/// The right to change one range now. The epoch alone could repeat after a crash of the server, so the run is
/// part of it; the position pins what the owner believes.
struct Token {
  std::int64_t range_id = 0;
  std::string run_id;
  std::int64_t epoch = 0;
};

/// How the batches of a range visit it, which determines what its bounds and position consist of.
enum class RangeWalk {
  kKeyset,  // key values
  kBlocks,  // oid, filenode, block; within a group of windows also place, visit, passes, windows, pages
  kSweep,   // blocks again, for rows that moved behind the walk: counts only what it changes
  kFinal,   // key values, for rows that a block walk has covered: counts only what it changes
};
inline bool is_by_blocks(RangeWalk walk) {
  return walk == RangeWalk::kBlocks || walk == RangeWalk::kSweep;
}
/// As the ledger keeps it: "keyset", "blocks", "sweep" or "final".
const char* range_walk_text(RangeWalk walk);
RangeWalk read_range_walk(const std::string& text);

/// A leased range as it was in the ledger when it was taken. After a reconnect every field is discarded and
/// read again: committed positions can go backwards when the server crashes.
struct Range {
  Token token;
  RangeWalk walk = RangeWalk::kKeyset;
  std::optional<pg::Key> position;  // empty: before the first row
  std::optional<pg::Key> upper;     // empty: not yet fixed (the tail), or a step without keys
  std::int64_t rows_expected = 0;
  std::int64_t rows_visited = 0;
  bool is_taken_over = false;  // from a run that is gone or late
};

}  // namespace pgsluice::ledger
