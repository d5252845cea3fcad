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
/// Feedback counts only if the batch was asked for with about the present size: a batch of another size,
/// still on its way while the size changed, would move it twice for one cause. Every call that changes the
/// size says so.
class Sizer {
 public:
  static constexpr double kGrowthMax = 1.5;  // a step; cost per row is not linear, so feel the way up
  static constexpr double kCutFrom = 3;      // times the target: too much to wait for a second opinion
  static constexpr double kDenseMost = 2;    // targets: below every statement_timeout
  static constexpr double kTimeoutTargets = 5;
  static constexpr double kPriceWeight = 0.2;   // of the newest batch in the price of a row
  static constexpr double kDeadBand = 0.1;      // share of the target that is near enough
  static constexpr double kSameSize = 0.1;      // share of the present size that counts as the present size
  static constexpr std::size_t kWindow = 5;     // batches that the estimate looks at
  static constexpr std::size_t kWindowMin = 3;  // batches before the size moves: one may be an exception
  // The most of them. They double whenever the size turns back, for then it was noise that moved it: beside
  // others batches of 12 ms take 6 to 20, and the size moved eleven times a second.
  static constexpr std::size_t kPatienceMax = 48;
  static constexpr double kFarOff = 2;  // times the target, or a half: no noise, all patience is over
  static constexpr int kBatchesUntilGrowth = 20;  // after a batch was cancelled for somebody who waited (P4)

  explicit Sizer(const BatchLimits& limits);

  std::int64_t rows() const { return rows_; }

  /// A committed batch: rows asked for, rows visited, server time. One that visited fewer than it asked for
  /// is the last of its range: mostly overhead, so it tells nothing about a row, and only counts when it took
  /// far too long.
  std::optional<Tune> record(std::int64_t rows_requested, std::int64_t rows_visited,
                             std::chrono::nanoseconds duration);

  /// Of the same batch: how many of its rows it changed. Where few do the size grows, but only so far that a
  /// batch whose rows all change would take kDenseMost targets. Known from batches of which half did.
  std::optional<Tune> note_changed(std::int64_t rows_visited, std::int64_t rows_changed,
                                   std::chrono::nanoseconds duration);

  /// A batch ran into its statement_timeout, which is kTimeoutTargets targets: that much smaller.
  std::optional<Tune> shrink_after_timeout(std::int64_t rows_requested);

  /// A batch was cancelled because somebody waited for it: half the size, and no growth for
  /// kBatchesUntilGrowth.
  std::optional<Tune> yield_to_waiter(std::int64_t rows_requested);

  /// New limits from `set`. A new batch.rows is taken as it is; a smaller target shrinks the size in
  /// proportion at once, a larger one lets it grow.
  std::optional<Tune> retarget(const BatchLimits& limits);

  /// Whether a batch of this size gives way to somebody who waits. At rows_min it does not any more, so that
  /// work always goes on.
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
  std::optional<double> changed_row_ms_;  // of a row that changes
  std::deque<double> recent_ms_;          // durations of full batches of the present size, the newest last
  std::size_t patience_ = kWindowMin;     // batches before the size moves
  std::optional<bool> was_up_;            // the last move that settle() made
  int batches_until_growth_ = 0;
};

}  // namespace pgsluice::walk
