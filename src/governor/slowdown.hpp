#pragma once

#include "governor/signal.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::governor {

/// Who was at work on the server at one moment.
struct WorkReading {
  int others = 0;  // sessions of others that ran, or waited for a disk or an internal lock
  int lanes = 0;   // lanes, of this run or another, that were in a batch
};

/// The signal `slowdown`: how much longer others are at work because of our batches, in per cent. At a steady
/// rate of transactions the number of sessions found at work is in proportion to the time that a transaction
/// takes (Little's law), so sessions counted beside a batch are set against those counted between batches.
/// Neither cores nor disks need to be known, and a trivial probe would not do: it saw nothing where the
/// application waited three times as long. A session that is always at work counts on both sides alike.
///
/// It slows, and never holds: what others do by themselves must not stop us (P4). Pure and externally
/// synchronised.
class Slowdown {
 public:
  /// Share of one lane's time that all lanes together are left at least.
  static constexpr double kPaceLeast = 0.4;
  /// Fewer sessions at work than this are nobody.
  static constexpr double kNobody = 0.1;
  /// Looks on each side before it is judged: half a second at kPaceLeast.
  static constexpr int kLooksLeast = 5;
  /// In per cent: what one lane costs an application that fills half of two cores.
  static constexpr double kAssumed = 100;
  /// Looks that a mean goes back: 2 to 5 s.
  static constexpr int kLooksMost = 40;
  /// Sessions added to both sides, so that few do not make large ratios.
  static constexpr double kEvening = 0.5;

  void observe(const WorkReading& reading);

  /// While others are at work and one side was not looked at often enough it is kAssumed: so lanes begin
  /// slowly beside others, and there are pauses to look at. `lanes` share kPaceLeast.
  Sample sample(const ThrottleLimits& limits, int lanes, TimePoint taken_at) const;

 private:
  class Mean {
   public:
    void add(double value);
    double value() const { return value_; }
    bool is_enough() const { return looks_ >= kLooksLeast; }

   private:
    int looks_ = 0;
    double value_ = 0;
  };

  Mean all_;
  Mean beside_;
  Mean between_;
};

}  // namespace pgsluice::governor
