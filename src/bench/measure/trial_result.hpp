#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "pgsluice/bench.hpp"

namespace pgsluice::bench {

/// What the traffic experienced, in milliseconds; count 0: nothing.
struct Latency {
  double p50_ms = 0;
  double p99_ms = 0;
  std::int64_t count = 0;
};

/// One trial's results. What could not be measured is empty. A value.
struct TrialResult {
  BenchSetting setting;
  std::int64_t rows_changed = 0;
  double duration_s = 0;  // from the first batch's BEGIN to the last one's end
  std::int64_t batches = 0;
  std::optional<double> batch_p50_ms;
  std::optional<double> batch_p95_ms;
  std::optional<double> batch_p99_ms;
  std::optional<double> wal_bytes_per_row;
  std::optional<double> heap_bytes_per_row;
  std::optional<double> index_bytes_per_row;
  std::optional<double> cpu_us_per_row;
  std::optional<double> hot_percent;
  std::optional<Latency> others;
  std::string disturbance;        // not empty: why the figures do not count
  bool gave_way = false;          // the disturbance: a session waited for us
  bool ran_into_timeout = false;  // likewise
};

/// Relates the table's growth and the server processes' CPU time to the rows changed. Pure.
void add_costs(std::int64_t heap_grown, std::int64_t index_grown, std::optional<double> cpu_s,
               TrialResult& result);

}  // namespace pgsluice::bench
