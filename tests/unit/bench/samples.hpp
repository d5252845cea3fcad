#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "bench/measure/trial_result.hpp"
#include "pgsluice/bench.hpp"

namespace pgsluice::bench {

inline Spread once(double value) {
  return {value, value, value, 1};
}

/// Figures of one trial.
inline BenchFigures figures(int lanes, std::int64_t rows, double rate, double p95_ms,
                            double others_p99_ms = 0) {
  BenchFigures f;
  f.setting = {Walk::kKeyset, lanes, rows};
  f.rows_per_second = once(rate);
  f.batch_p95_ms = once(p95_ms);
  if (others_p99_ms > 0) f.others_p99_ms = once(others_p99_ms);
  f.trials = 1;
  return f;
}

/// A trial of two lanes that changed a thousand rows in a second.
inline TrialResult trial(std::int64_t rows) {
  TrialResult t;
  t.setting = {Walk::kKeyset, 2, rows};
  t.rows_changed = 1'000;
  t.duration_s = 1;
  return t;
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace pgsluice::bench
