#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "support/process.hpp"
#include "support/temp_folder.hpp"

namespace pgsluice::test {

struct Traffic {
  std::string dsn;
  std::string script{};  // pgbench's own language; empty: its built-in TPC-B
  int clients = 2;
  double rate = 0;                     // transactions a second over all clients; 0: as fast as they can
  std::chrono::seconds duration{600};  // an upper bound when the test calls stop()
  int max_tries = 1;                   // of a transaction that ends in a deadlock or a serialization failure
  std::map<std::string, std::string> variables{};
};

/// A transaction that ended well, and the milliseconds that it took.
struct Served {
  std::chrono::system_clock::time_point ended;
  double ms = 0;
};

/// What the application noticed. Latencies in milliseconds, of transactions that ended well; with a rate they
/// count from the moment the transaction was due.
struct TrafficResult {
  std::int64_t transactions = 0;
  std::int64_t failed = 0;  // deadlocks and serialization failures
  double p50 = 0;
  double p99 = 0;
  double max = 0;
  std::vector<Served> served{};  // by latency
  Exit exit{};                   // code 2: a client gave up, for instance because its connection was lost
  std::string report;
};

/// Application traffic by pgbench, in its own process; killed by the destructor when it still runs.
class Pgbench {
 public:
  /// Returns when it has begun.
  explicit Pgbench(const Traffic& traffic);

  /// Lets running transactions end and returns what was measured until now.
  TrafficResult stop();

  /// Waits for the end of its duration.
  TrafficResult finish();

  bool running() { return process_->running(); }

 private:
  void await_begin();
  TrafficResult result(const Exit& exit) const;

  TempFolder folder_;
  std::chrono::seconds duration_;
  std::unique_ptr<Process> process_;
};

/// Makes pgbench's own tables: 100,000 accounts for each unit of scale.
void make_pgbench_tables(const std::string& dsn, int scale);

}  // namespace pgsluice::test
