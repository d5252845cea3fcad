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
/// rate of transactions the number of sessions found at work is proportional to the time that a transaction
/// takes (Little's law), so sessions counted during a batch are compared with those counted between batches.
/// Neither cores nor disks need to be known. A trivial probe would not do: it saw nothing when the
/// application waited three times as long. A session that is always at work counts equally on both sides.
///
/// It slows but never holds: what others do on their own must not stop us (P4). Pure and externally
/// synchronised.
class Slowdown {
 public:
  /// The lanes together keep at least this share of one lane's time: more with each further lane, but never
  /// so much that there is no gap between batches. Measured with pgbench filling half of two cores:
  /// docs/benchmarks.md, traffic.
  static constexpr double kShareLeast = 0.46;
  static constexpr double kShareOfFurther = 0.18;
  static constexpr double kShareMost = 0.8;
  static double share_least(int lanes);
  /// Fewer sessions at work than this count as none.
  static constexpr double kNobody = 0.1;
  /// Observations needed on each side before judging: half a second at kShareLeast.
  static constexpr int kLooksLeast = 5;
  /// Per cent: what one lane costs an application that fills half of two cores.
  static constexpr double kAssumed = 100;
  /// Observations that a mean covers: 2 to 5 s; if lanes leave few gaps, 10 s for those between batches.
  static constexpr int kLooksMost = 40;
  static constexpr int kLooksMostOfPauses = 9;
  /// Sessions added to both sides, so that small counts do not give large ratios.
  static constexpr double kEvening = 0.5;
  /// Observations during batches until a pause is requested, 3 s: at full pace there is none, and what was
  /// seen earlier may no longer hold. The pause costs 5 % of the speed.
  static constexpr int kLooksUntilPause = 60;
  /// Observations taken in a pause, 150 ms.
  static constexpr int kLooksOfPause = 3;
  /// Another run's batches may leave no gap to observe: then this many end the pause.
  static constexpr int kLooksOfPauseMost = 10;

  void observe(const WorkReading& reading);
  /// To be called while there are no lanes. Our own work before and after batches counts as neither during
  /// nor between them, but who is at work then tells how to start.
  void observe_before(const WorkReading& reading) { all_.add(reading.others, kLooksMost); }

  /// Whether lanes should briefly start no batch, so that we can observe others without one.
  bool wants_pause() const { return is_pausing_; }

  /// While others are at work and one side has too few observations, the value is kAssumed: so lanes start
  /// slowly next to others, and there are gaps to observe. `lanes` share what is left.
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
  int looks_ = 0;          // during batches since the last one between them; of the pause, while it lasts
  int looks_between_ = 0;  // of the pause
  Mean all_;
  Mean beside_;
  Mean between_;
};

}  // namespace pgsluice::governor
