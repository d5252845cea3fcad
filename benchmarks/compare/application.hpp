#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "measure/bench_server.hpp"
#include "support/pgbench.hpp"

namespace pgsluice::bench {

/// What the application noticed of a change, in milliseconds from when each transaction was due.
struct Noticed {
  double p50_ms = 0;
  double p99_ms = 0;
  double longest_ms = 0;
  double served = 0;  // transactions that were due or at work while the change went on
  double failed = 0;  // deadlocks, serialization failures; one more if a client gave up
};

/// pgbench on the table that is changed: reads a user, writes it, notes a login. Transactions come in at a
/// fixed rate, whether the server keeps up or not.
class Application {
 public:
  /// Returns when it has run for a while.
  Application(const std::string& dsn, std::int64_t rows, double per_s);

  /// The change begins.
  void begin();

  /// The change is over: waits until what was held up has been served, then ends the traffic.
  Noticed end();

 private:
  void await_drained();

  test::Db db_;
  double per_s_;
  test::Pgbench traffic_;
  std::chrono::system_clock::time_point began_;
};

/// Tables that it needs beside `users`.
extern const char* const kApplicationTables;

/// Transactions a second that an idle server does for it, no change beside it.
double capacity(BenchServer& server, std::int64_t rows, std::chrono::seconds span);

/// Long enough for a p99.
void watch_alone();

}  // namespace pgsluice::bench
