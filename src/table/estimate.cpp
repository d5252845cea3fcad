#include "table/estimate.hpp"

#include <algorithm>

namespace pgsluice::engine {
namespace {

constexpr double kRowRecords = 136;  // bytes: heap update and tuple lock, without the row itself
constexpr double kIndexRecord = 48;  // bytes: an index insertion, without the entry
constexpr double kItemPointer = 4;   // bytes on the page, for heap rows and index entries alike
constexpr double kLeafFill = 0.9;    // how full a B-tree's leaves are when it is built
constexpr double kEntryMax = 2'700;  // bytes: no B-tree entry is larger, whatever a bloated index suggests

std::chrono::milliseconds time_for(std::int64_t rows, std::int64_t rows_per_second) {
  return std::chrono::milliseconds{rows * 1'000 / std::max<std::int64_t>(rows_per_second, 1)};
}

}  // namespace

Estimate estimate_backfill(const pg::Storage& storage, std::int64_t rows_visited, std::int64_t rows_changed,
                           int lanes) {
  const double visited = static_cast<double>(std::max<std::int64_t>(rows_visited, 1));
  const double changed = static_cast<double>(rows_changed);
  double wal = kRowRecords + storage.row_bytes;
  double room = storage.row_bytes + kItemPointer;
  double pages = static_cast<double>(storage.heap_bytes);
  for (const auto& index : storage.indexes) {
    const auto bytes = static_cast<double>(index.bytes);
    const double entry = std::min(kEntryMax, bytes / visited * kLeafFill);
    wal += kIndexRecord + std::max(0.0, entry - kItemPointer);
    room += entry;
    pages += bytes;
  }
  Estimate out;
  out.wal_bytes = static_cast<std::int64_t>(changed * wal + pages * std::min(1.0, changed / visited));
  out.room_bytes = static_cast<std::int64_t>(changed * room);
  out.heap_bytes = static_cast<std::int64_t>(changed * (storage.row_bytes + kItemPointer));
  out.fastest = time_for(rows_visited, kLaneRowsFast * lanes);
  out.slowest = time_for(rows_visited, kLaneRowsSlow * lanes);
  return out;
}

Estimate walk_estimate(Estimate estimate, Walk walk) {
  if (walk != Walk::kInterleaved) return estimate;
  for (auto* bytes : {&estimate.wal_bytes, &estimate.room_bytes, &estimate.heap_bytes})
    *bytes = static_cast<std::int64_t>(kInterleavedShare * static_cast<double>(*bytes));
  return estimate;
}

}  // namespace pgsluice::engine
