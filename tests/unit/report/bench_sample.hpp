#pragma once

#include "pgsluice/bench.hpp"

namespace pgsluice::report {

inline Spread spread(double low, double median, double high) {
  return {median, low, high, 3};
}

inline BenchFigures sample_figures(Walk walk, int lanes, std::int64_t rows, double rate, double p95_ms) {
  BenchFigures f;
  f.setting = {walk, lanes, rows};
  f.rows_per_second = spread(0.9 * rate, rate, 1.1 * rate);
  f.batch_p50_ms = spread(0.5 * p95_ms, 0.6 * p95_ms, 0.7 * p95_ms);
  f.batch_p95_ms = spread(0.9 * p95_ms, p95_ms, 1.2 * p95_ms);
  f.batch_p99_ms = spread(p95_ms, 1.3 * p95_ms, 1.5 * p95_ms);
  f.wal_bytes_per_row = spread(walk == Walk::kInterleaved ? 280 : 340, walk == Walk::kInterleaved ? 290 : 350,
                               walk == Walk::kInterleaved ? 310 : 360);
  f.hot_percent = walk == Walk::kInterleaved ? spread(83, 85, 86) : spread(0, 0, 1);
  f.heap_bytes_per_row = spread(80, 93, 95);
  f.index_bytes_per_row = spread(20, 30, 40);
  f.trials = 3;
  return f;
}

/// Two walks, two lane counts, two sizes; the winner is keyset with 2 lanes and 1,000 rows.
inline BenchReport sample_bench() {
  BenchReport r;
  r.job = "onboarding";
  r.step = "fill";
  r.table = "\"public\".\"users\"";
  r.target = "database \"app\" on db1";
  r.server_version = 150'004;
  r.on_copy = true;
  r.table_rows = 1'000'000;
  r.copy_rows = 200'000;
  r.seed = 7;
  r.batch_target_ms = 100;
  r.trial_s = 2.5;
  r.elapsed_s = 61;
  r.trials_planned = 24;
  r.trials_done = 24;
  for (const auto walk : {Walk::kKeyset, Walk::kInterleaved}) {
    for (const int lanes : {1, 2}) {
      for (const std::int64_t rows : {1'000, 5'000}) {
        const double rate = 20'000.0 * lanes + static_cast<double>(rows);
        r.figures.push_back(sample_figures(walk, lanes, rows, rate, static_cast<double>(rows) / 30));
      }
    }
  }
  r.winner = 2;
  r.verdict = "most rows a second";
  r.advice = "[pool]\nlanes = 2\n\n[batch]\nrows = 1000\n";
  r.methods = {"rows/s: rows changed"};
  r.notes = {"foreign keys are not copied"};
  r.left_out = {"blocks: no `where`"};
  return r;
}

}  // namespace pgsluice::report
