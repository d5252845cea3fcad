#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "bench/measure/trial_result.hpp"
#include "pg/connection/connection_target.hpp"

namespace pgsluice::bench {

/// What the traffic saw between start and stop.
struct TrafficSeen {
  Latency latency;
  double per_second = 0;  // transactions
};

/// An application's traffic: pgbench with the operator's script, in its own process. Blocks; confined to one
/// thread at a time.
class Traffic {
 public:
  /// `script`: a file in pgbench's language. Throws Error(kUsage) if it cannot be read.
  Traffic(std::filesystem::path script, const pg::ConnectionTarget& target);
  ~Traffic();
  Traffic(const Traffic&) = delete;
  Traffic& operator=(const Traffic&) = delete;

  /// `rate` in transactions per second; 0: as fast as possible. It ends by itself after `at_most`. Returns
  /// once it has started; throws Error(kFailed) with pgbench's own message if it does not.
  void start(double rate, std::chrono::seconds at_most);
  /// Lets running transactions finish. Throws Error(kFailed) if pgbench reports a failure.
  TrafficSeen stop();

 private:
  void spawn(const std::vector<std::string>& arguments);
  void await_begin();
  void end_process();
  std::string last_words() const;

  std::filesystem::path script_;
  std::vector<std::string> environment_;  // ours plus where to connect: no password in the process list
  std::filesystem::path folder_;          // of logs; removed with this object
  pid_t pid_ = -1;
  std::chrono::steady_clock::time_point began_;
};

}  // namespace pgsluice::bench
