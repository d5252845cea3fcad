#pragma once

#include <array>
#include <string>

#include "pgsluice/bench.hpp"

namespace pgsluice::report {

/// One measured quantity of a bench, as every rendering names it.
struct BenchColumn {
  const char* name;  // in CSV and JSON
  const char* head;  // in a table
  const char* unit;
  int decimals;  // in a table
  Spread BenchFigures::*figure;
};

inline constexpr std::array kBenchColumns{
    BenchColumn{"rows_per_second", "rows/s", "rows/s", 0, &BenchFigures::rows_per_second},
    BenchColumn{"batch_p50_ms", "p50", "ms", 1, &BenchFigures::batch_p50_ms},
    BenchColumn{"batch_p95_ms", "p95", "ms", 1, &BenchFigures::batch_p95_ms},
    BenchColumn{"batch_p99_ms", "p99", "ms", 1, &BenchFigures::batch_p99_ms},
    BenchColumn{"wal_bytes_per_row", "WAL", "B/row", 0, &BenchFigures::wal_bytes_per_row},
    BenchColumn{"hot_percent", "HOT", "%", 0, &BenchFigures::hot_percent},
    BenchColumn{"heap_bytes_per_row", "heap", "B/row", 0, &BenchFigures::heap_bytes_per_row},
    BenchColumn{"index_bytes_per_row", "index", "B/row", 0, &BenchFigures::index_bytes_per_row},
    BenchColumn{"cpu_us_per_row", "CPU", "µs/row", 1, &BenchFigures::cpu_us_per_row},
    BenchColumn{"others_p50_ms", "others p50", "ms", 1, &BenchFigures::others_p50_ms},
    BenchColumn{"others_p99_ms", "others p99", "ms", 1, &BenchFigures::others_p99_ms},
};

/// Whether traffic ran during the bench: only then do the columns of others mean something.
inline bool has_traffic(const BenchReport& report) {
  return report.others_rate > 0;
}

/// "keyset, 2 lanes, 1,000 rows".
std::string setting_in_words(const BenchSetting& setting);

/// "43,210", "12.3"; commas separate thousands.
std::string figure_text(double value, int decimals);

/// One line that says what was measured, where and how long.
std::string bench_headline(const BenchReport& report);

}  // namespace pgsluice::report
