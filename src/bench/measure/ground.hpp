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
  std::vector<Walk> walks;    // that can be shown here
  int lanes_max = 0;          // that the table can be shared out to
  std::int64_t rows_max = 0;  // of a batch that the table has room for
  TimeBudget time;            // all_s: as much as something else than the clock allows
};

/// Where trials take place: the real table, or copies of it. Confined to the io thread.
class Ground {
 public:
  virtual ~Ground() = default;

  /// Makes ready what all trials need. Fills in what the report tells of the table, of methods and notes.
  /// Throws Error for what cannot be measured at all.
  virtual boost::asio::awaitable<GroundFacts> prepare(BenchReport& report) = 0;
  /// How long each trial will be, before the first.
  virtual boost::asio::awaitable<void> begin(double trial_s) = 0;
  /// What the next trial needs and the traffic need not see being made.
  virtual boost::asio::awaitable<void> make_ready() = 0;
  /// One trial. `others_wal_per_s`: bytes that others write when we do not work.
  virtual boost::asio::awaitable<TrialResult> run(BenchSetting setting, double others_wal_per_s) = 0;
  /// Takes away what prepare() and run() made; adds what stays to the report's notes.
  virtual boost::asio::awaitable<void> clean_up(BenchReport& report) = 0;
};

}  // namespace pgsluice::bench
