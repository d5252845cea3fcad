#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>

#include "pgsluice/progress.hpp"

namespace pgsluice::engine {

/// Durations in 2 % wide buckets from 10 µs to 10 min: percentiles in bounded memory, wrong by at most 2 %.
class DurationHistogram {
 public:
  void add(std::chrono::nanoseconds duration);
  /// Seconds below which `share` (0 to 1) of the durations lie; 0 without any.
  double quantile(double share) const;
  double max_s() const { return max_s_; }

 private:
  static constexpr double kFirst = 1e-5;  // seconds
  static constexpr double kWidth = 1.02;
  static constexpr std::size_t kBuckets = 905;  // kFirst × kWidth^905 > 600 s
  std::array<std::uint32_t, kBuckets> buckets_{};
  std::uint64_t count_ = 0;
  double max_s_ = 0;
};

void add(RowCounts& sum, const RowCounts& rows);
RowCounts difference(const RowCounts& later, const RowCounts& earlier);

/// What a run has done, as counted here, for the screen and the summary; the ledger is the truth. Confined to
/// the io thread.
class Tally {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// Starts a new step: the rate counts from here.
  void begin_step();
  void batch_committed(const RowCounts& rows, std::chrono::nanoseconds duration, TimePoint now);

  /// What a batch over blocks reports in addition: HOT updates, and the WAL if it was sampled.
  void updates_told(std::int64_t changed, std::int64_t hot, std::optional<double> wal_bytes);
  double hot_percent() const;        // -1: nothing was reported
  double wal_bytes_per_row() const;  // -1: nothing was reported

  const RowCounts& run_rows() const { return run_; }
  /// Visited rows a second over the last kRateWindow of work.
  double rows_per_second(TimePoint now) const;
  std::chrono::milliseconds recent_batch_time() const;

  std::int64_t batches = 0;
  std::int64_t retries = 0;
  std::int64_t splits = 0;
  double held_s = 0;
  double lag_max_s = -1;
  DurationHistogram batch_times;

 private:
  static constexpr std::chrono::seconds kRateWindow{10};
  static constexpr std::size_t kRecentMax =
      20'000;  // batches in the window: 10 s of 64 lanes at 30 batches a second

  struct Done {
    TimePoint at;
    std::int64_t visited;
    std::chrono::nanoseconds duration;
  };
  struct Part {
    double of = 0;
    double part = 0;
  };
  Part hot_;
  Part wal_;
  RowCounts run_;
  std::deque<Done> recent_;
  TimePoint step_began_ = std::chrono::steady_clock::now();
};

}  // namespace pgsluice::engine
