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
  /// Share of one lane's time that lanes are left at least, together: more for each further one, and never so
  /// much that nothing is left between batches. Measured beside pgbench that fills half of two cores:
  /// docs/benchmarks.md, traffic.
  static constexpr double kShareLeast = 0.46;
  static constexpr double kShareOfFurther = 0.18;
  static constexpr double kShareMost = 0.8;
  static double share_least(int lanes);
  /// Fewer sessions at work than this are nobody.
  static constexpr double kNobody = 0.1;
  /// Looks on each side before it is judged: half a second at kShareLeast.
  static constexpr int kLooksLeast = 5;
  /// In per cent: what one lane costs an application that fills half of two cores.
  static constexpr double kAssumed = 100;
  /// Looks that a mean goes back: 2 to 5 s; where lanes leave few of them, 10 s between batches.
  static constexpr int kLooksMost = 40;
  static constexpr int kLooksMostOfPauses = 9;
  /// Sessions added to both sides, so that few do not make large ratios.
  static constexpr double kEvening = 0.5;
  /// Looks beside batches until a pause is asked for, 3 s: at full pace there is none, and what was seen
  /// before is no measure of now. With the pause it costs 5 % of the speed.
  static constexpr int kLooksUntilPause = 60;
  /// Looks that a pause is for, 150 ms.
  static constexpr int kLooksOfPause = 3;
  /// Another run's batches may leave no pause to look at: then this many end it.
  static constexpr int kLooksOfPauseMost = 10;

  void observe(const WorkReading& reading);
  /// While there are no lanes. What we do before and behind batches is neither beside nor between them, but
  /// who is at work then tells how to begin.
  void observe_before(const WorkReading& reading) { all_.add(reading.others, kLooksMost); }

  /// Whether lanes should start no batch for a moment, to let us see others without one.
  bool wants_pause() const { return is_pausing_; }

  /// While others are at work and one side was not looked at often enough it is kAssumed: so lanes begin
  /// slowly beside others, and there are pauses to look at. `lanes` share what is left.
  Sample sample(const ThrottleLimits& limits, int lanes, TimePoint taken_at) const;

 private:
  class Mean {
   public:
    void add(double value, int looks_most);
    double value() const { return value_; }
    bool is_enough() const { return looks_ >= kLooksLeast; }

   private:
    int looks_ = 0;
    double value_ = 0;
  };

  void follow_pauses(bool is_beside);

  bool is_pausing_ = false;
  int looks_ = 0;          // beside batches since the last one between them; of the pause, while it lasts
  int looks_between_ = 0;  // of the pause
  Mean all_;
  Mean beside_;
  Mean between_;
};

}  // namespace pgsluice::governor
