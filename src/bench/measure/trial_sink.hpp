#pragma once

#include <chrono>
#include <mutex>
#include <optional>
#include <string>

#include "bench/measure/trial_result.hpp"
#include "pgsluice/event.hpp"
#include "telling/tally.hpp"

namespace pgsluice::bench {

/// Derives a trial's figures from the events of a real run. Thread-safe: the run publishes on its own thread.
class TrialSink final : public EventSink {
 public:
  explicit TrialSink(const BenchSetting& setting) { result_.setting = setting; }

  void publish(Event event) override;

  /// Empty until the run has started.
  std::string run_id() const;
  /// Rows, times and any disturbance.
  TrialResult result() const;

 private:
  void take(const event::Batch& batch, std::chrono::system_clock::time_point at);

  mutable std::mutex mutex_;  // guards all below
  std::string run_id_;
  TrialResult result_;
  engine::DurationHistogram batch_times_;  // of full batches
  int timed_ = 0;
  double held_s_ = 0;
  std::optional<std::chrono::system_clock::time_point> first_;  // start of the first batch
  std::chrono::system_clock::time_point last_;                  // end of the last batch
};

}  // namespace pgsluice::bench
