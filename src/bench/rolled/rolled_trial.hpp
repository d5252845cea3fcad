#pragma once

#include <chrono>
#include <string>

#include "bench/measure/trial_result.hpp"
#include "bench/rolled/rolled_batch.hpp"
#include "telling/tally.hpp"

namespace pgsluice::bench {

/// Aggregates the batches of one rolled-back trial. Confined to the io thread.
class RolledTrial {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// A batch that cannot get its locks is tried elsewhere this often before the trial counts as disturbed.
  static constexpr int kRetriesMax = 5;

  RolledTrial(const BenchSetting& setting, TimePoint began) : began_(began), ended_(began) {
    result_.setting = setting;
  }

  /// Throws Error for what would also end a run. `has_given_way`: it was cancelled for a waiting session.
  void take(const RolledOutcome& outcome, bool has_given_way, TimePoint now);
  /// Marks the figures as not counting; the first cause is kept.
  void disturb(const std::string& cause);
  /// A session waits for us: ends the trial.
  void give_way();
  bool is_disturbed() const { return !result_.disturbance.empty(); }

  TrialResult result() const;

 private:
  void take_failure(const RolledOutcome& outcome, bool has_given_way);

  TrialResult result_;
  TimePoint began_;
  TimePoint ended_;
  engine::DurationHistogram batch_times_;  // of full batches that were not sampled
  int timed_ = 0;
  int retries_ = 0;
  BatchSample sampled_;  // totals
};

}  // namespace pgsluice::bench
