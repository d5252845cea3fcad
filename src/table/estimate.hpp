#pragma once

#include <chrono>
#include <cstdint>

#include "pg/catalog/storage.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// What a backfill will cost, from the catalog alone: an order of magnitude, on the cautious side.
struct Estimate {
  std::int64_t wal_bytes = 0;
  std::int64_t room_bytes = 0;  // by which table and indexes grow until vacuum makes room again
  std::int64_t heap_bytes = 0;  // of these, without the indexes
  std::chrono::milliseconds fastest{0};
  std::chrono::milliseconds slowest{0};
};

/// Rows that one lane changes per second, an assumption: from a wide table on a busy disk to a narrow one in
/// memory (measured in memory: 80,000 by one lane with two indexes).
constexpr std::int64_t kLaneRowsSlow = 5'000;
constexpr std::int64_t kLaneRowsFast = 50'000;

/// Share of WAL and room that an interleaved walk needs: 0.52 to 0.58 measured (docs/design/interleaving.md).
constexpr double kInterleavedShare = 0.6;

/// Estimates changing `rows_changed` rows with `lanes` lanes that visit `rows_visited`.
///
/// WAL of one row whose update is not HOT: 136 bytes for the records of update and lock, the row's new
/// version, and for each index a record of 48 bytes with its entry; and, after each checkpoint, an image of
/// every page touched: assumed to happen once. Compared with one UPDATE of 300,000 rows with two indexes, 100
/// bytes a row, all pages full: 375 bytes a row plus 157 of images measured, 378 and 160 computed. The 537
/// bytes a row measured for 1,000,000 rows of that table agree.
Estimate estimate_backfill(const pg::Storage& storage, std::int64_t rows_visited, std::int64_t rows_changed,
                           int lanes);

/// What remains of it in this walk. Pure.
Estimate walk_estimate(Estimate estimate, Walk walk);

}  // namespace pgsluice::engine
