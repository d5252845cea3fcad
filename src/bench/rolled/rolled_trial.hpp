#pragma once

#include <chrono>
#include <string>

#include "bench/measure/trial_result.hpp"
#include "bench/rolled/rolled_batch.hpp"
#include "telling/tally.hpp"

namespace pgsluice::bench {

/// Puts the batches of one rolled-back trial together. Confined to the io thread.
class RolledTrial {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  /// A batch that cannot have its locks is tried elsewhere this often before the trial counts as disturbed.
  static constexpr int kRetriesMax = 5;

  RolledTrial(const BenchSetting& setting, TimePoint began) : began_(began), ended_(began) {
    result_.setting = setting;
  }

  /// Throws Error for what would end a run too. `has_given_way`: it was cancelled for somebody.
  void take(const RolledOutcome& outcome, bool has_given_way, TimePoint now);
  /// The figures do not count; the first cause stands.
  void disturb(const std::string& cause);
  /// A session waits for us: the trial ends.
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
  BatchSample sampled_;  // sums
};

}  // namespace pgsluice::bench
