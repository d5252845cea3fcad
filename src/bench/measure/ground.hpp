#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>
#include <vector>

#include "bench/measure/trial_plan.hpp"
#include "bench/measure/trial_result.hpp"
#include "pgsluice/bench.hpp"

namespace pgsluice::bench {

/// What is known before the first trial.
struct GroundFacts {
  std::vector<Walk> walks;    // walks that can be measured here
  int lanes_max = 0;          // lanes that the table can be divided among
  std::int64_t rows_max = 0;  // of the largest batch that fits the table
  TimeBudget time;            // all_s: limited by something other than the clock
};

/// Where trials take place: the real table, or copies of it. Confined to the io thread.
class Ground {
 public:
  virtual ~Ground() = default;

  /// Prepares what all trials need. Fills in the report's facts about the table, methods and notes. Throws
  /// Error if nothing can be measured at all.
  virtual boost::asio::awaitable<GroundFacts> prepare(BenchReport& report) = 0;
  /// Called before the first trial with the duration of each.
  virtual boost::asio::awaitable<void> begin(double trial_s) = 0;
  /// Prepares what the next trial needs, before the traffic starts.
  virtual boost::asio::awaitable<void> make_ready() = 0;
  /// One trial. `others_wal_per_s`: bytes that others write when we do not work.
  virtual boost::asio::awaitable<TrialResult> run(BenchSetting setting, double others_wal_per_s) = 0;
  /// Removes what prepare() and run() made; adds what stays to the report's notes.
  virtual boost::asio::awaitable<void> clean_up(BenchReport& report) = 0;
};

}  // namespace pgsluice::bench
