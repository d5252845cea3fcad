#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "pgsluice/job.hpp"

namespace pgsluice::walk {

/// A change of the batch size, for the event log.
struct Tune {
  std::int64_t from = 0;
  std::int64_t to = 0;
  std::string cause;
};

/// Chooses how many rows a batch takes, so that it meets batch.target in server time. One for all lanes of a
/// step: they write to the same table on the same server. Pure; confined to the thread that decides.
///
/// Feedback counts only if the batch was requested with about the current size: a batch of another size,
/// still in flight while the size changed, would move it twice for one cause. Every call that changes the
/// size reports it.
class Sizer {
 public:
  static constexpr double kGrowthMax = 1.5;  // per move; cost per row is not linear, so go up carefully
  static constexpr double kCutFrom = 3;      // times the target: too slow to wait for a second batch
  static constexpr double kDenseMost = 2;    // targets: below every statement_timeout
  static constexpr double kTimeoutTargets = 5;
  static constexpr double kPriceWeight = 0.2;   // of the newest batch in the cost of a row
  static constexpr double kDeadBand = 0.1;      // share of the target that is close enough
  static constexpr double kSameSize = 0.1;      // share of the current size that counts as the same size
  static constexpr std::size_t kWindow = 5;     // batches that the estimate covers
  static constexpr std::size_t kWindowMin = 3;  // batches before the size moves: one may be an outlier
  // At most this many batches. Their number doubles whenever the size reverses direction, because then noise
  // moved it: next to other work, batches of 12 ms take 6 to 20, and the size moved eleven times a second.
  static constexpr std::size_t kPatienceMax = 48;
  static constexpr double kFarOff = 2;  // times the target, or half of it: not noise, so stop waiting
  static constexpr int kBatchesUntilGrowth = 20;  // after a batch was cancelled for a waiting session (P4)

  explicit Sizer(const BatchLimits& limits);

  std::int64_t rows() const { return rows_; }

  /// A committed batch: rows asked for, rows visited, server time. One that visited fewer rows than requested
  /// is the last of its range: mostly overhead, so it says nothing about the cost of a row, and counts only
  /// if it took far too long.
  std::optional<Tune> record(std::int64_t rows_requested, std::int64_t rows_visited,
                             std::chrono::nanoseconds duration);

  /// How many of its rows the same batch changed. If few change, the size grows, but only so far that a batch
  /// whose rows all change would take kDenseMost targets. That is estimated from batches in which half
  /// changed.
  std::optional<Tune> note_changed(std::int64_t rows_visited, std::int64_t rows_changed,
                                   std::chrono::nanoseconds duration);

  /// A batch hit its statement_timeout, which is kTimeoutTargets targets: shrinks by that factor.
  std::optional<Tune> shrink_after_timeout(std::int64_t rows_requested);

  /// A batch was cancelled because a session waited for it: halves the size, and lets it not grow for
  /// kBatchesUntilGrowth.
  std::optional<Tune> yield_to_waiter(std::int64_t rows_requested);

  /// New limits from `set`. A new batch.rows applies as it is; a smaller target shrinks the size in
  /// proportion at once, a larger one lets it grow.
  std::optional<Tune> retarget(const BatchLimits& limits);

  /// Whether a batch of this size gives way to a waiting session. At rows_min it no longer does, so that work
  /// always continues.
  bool may_be_cancelled(std::int64_t rows_requested) const { return rows_requested > limits_.rows_min; }

 private:
  bool is_present_size(std::int64_t rows_requested) const;
  std::optional<Tune> settle();
  void turn(bool is_up);
  /// Several lanes may be stopped for one cause: only the first of them shrinks the size that they shared.
  std::optional<Tune> divide(std::int64_t rows_requested, double by, const std::string& cause);
  double growth_most() const;
  std::optional<Tune> move_to(double rows, const std::string& cause);

  BatchLimits limits_;
  std::int64_t rows_;
  std::optional<double> changed_row_ms_;  // cost of a row that changes
  std::deque<double> recent_ms_;          // durations of full batches of the current size, newest last
  std::size_t patience_ = kWindowMin;     // batches before the size moves
  std::optional<bool> was_up_;            // the last move that settle() made
  int batches_until_growth_ = 0;
};

}  // namespace pgsluice::walk
