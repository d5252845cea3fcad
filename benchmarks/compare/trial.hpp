#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "compare/arm.hpp"
#include "compare/table.hpp"
#include "measure/bench_server.hpp"

namespace pgsluice::bench {

/// What one trial cost. Of an arm that only watches the application, the last group alone.
struct TrialFigures {
  double seconds = 0;
  double rows_per_s = 0;
  double wal_mb = 0;       // the application's too, where there is one
  double wal_per_row = 0;  // bytes
  double hot_percent = 0;  // of the updates of the table
  double heap_mb = 0;      // afterwards
  double indexes_mb = 0;
  double size_mb = 0;  // both
  double server_cpu_s = 0;

  double p50_ms = 0;  // of the application while the change went on
  double p99_ms = 0;
  double longest_ms = 0;
  double served = 0;
  double failed = 0;

  std::vector<std::string> remarks{};  // of pgsluice, on its walk
};

/// The application beside a change.
struct TrafficRate {
  double per_s = 0;  // transactions that come in, whether the server keeps up or not; 0: no application
};

struct TrialPlace {
  BenchServer& server;
  const Table& table;
  TrafficRate traffic;
  // How long a REPEATABLE READ transaction has been open that stays until after the change; empty: there is
  // none.
  std::optional<std::chrono::seconds> snapshot_age{};
};

/// Makes the change on a fresh copy and proves that every row was changed. Throws std::runtime_error when one
/// was not, NotAvailable when the arm refuses.
TrialFigures run_trial(const TrialPlace& place, const Arm& arm);

/// The database that trials are copied from.
inline constexpr const char* kTemplate = "users_template";

}  // namespace pgsluice::bench
