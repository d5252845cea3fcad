#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/thread_pool.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/measure/ground.hpp"
#include "bench/measure/patience.hpp"
#include "bench/measure/surroundings.hpp"
#include "bench/measure/traffic.hpp"
#include "engine/run/beside.hpp"
#include "engine/run/stopping/signal_watch.hpp"
#include "pg/connection/connection.hpp"
#include "pgsluice/bench.hpp"
#include "telling/stop.hpp"

namespace pgsluice::bench {

/// One bench, from its first connection to its report. execute() is called once, on the thread that becomes
/// the io thread.
class Bench {
 public:
  using Tell = std::function<void(const std::string&)>;

  Bench(const std::string& dsn, Job job, BenchOptions options, Tell tell);
  ~Bench();

  /// Throws Error if nothing could be measured.
  BenchReport execute();

 private:
  template <class T>
  using awaitable = boost::asio::awaitable<T>;

  awaitable<void> story();
  awaitable<void> measure();
  awaitable<void> measure_traffic();
  awaitable<void> run_trials(TrialPlan plan);
  awaitable<void> run_alone(double trial_s);
  awaitable<TrialResult> run_beside_traffic(BenchSetting setting);
  awaitable<void> start_traffic(double rate);
  awaitable<TrafficSeen> stop_traffic();
  awaitable<double> wal_written();
  awaitable<void> clean_up();
  awaitable<void> cancel_once_stopped();

  std::vector<BenchSetting> settings_for(const GroundFacts& facts);
  TrialPlan plan(const GroundFacts& facts);
  void tell_of(const TrialResult& trial) const;
  void conclude();
  double seconds_left() const;

  // Constant after construction.
  std::string dsn_;
  pg::ConnectionTarget target_;
  std::string prefix_;  // of our sessions' application_name
  Job job_;             // its only step is the one to bench
  BenchOptions options_;
  Tell tell_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();

  // Confined to the io thread; connections and threads are last, so that they are destroyed first.
  boost::asio::io_context io_{1};
  engine::Stop stop_;
  engine::FirstFailure failure_;
  engine::Over over_;  // set when the story is over
  engine::Beside beside_;
  engine::SignalWatch signals_;
  BenchReport report_;
  std::vector<BenchSetting> settings_;
  std::vector<TrialResult> trials_;
  std::vector<Latency> alone_;
  Patience patience_;
  std::chrono::steady_clock::time_point end_;     // of the last trial
  std::string what_ends_it_ = "the time was up";  // before all trials are done
  double others_wal_per_s_ = 0;
  std::exception_ptr error_;
  pg::Connection control_;
  std::unique_ptr<Traffic>
      traffic_;  // used only on traffic_thread_, except for its construction and destruction
  boost::asio::thread_pool traffic_thread_{1};
  std::unique_ptr<Ground> ground_;
};

}  // namespace pgsluice::bench
