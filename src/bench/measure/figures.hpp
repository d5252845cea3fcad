#pragma once

#include <vector>

#include "bench/measure/trial_result.hpp"
#include "pgsluice/bench.hpp"

namespace pgsluice::bench {

/// Median and range; without values, count 0. Pure.
Spread spread_of(std::vector<double> values);

/// The value that this share of the values does not exceed: 0.99 is the 99th percentile; 0 without values.
/// Pure.
double at_share(std::vector<double> values, double share);

/// The trials of one setting together. Pure.
BenchFigures figures_of(const BenchSetting& setting, const std::vector<TrialResult>& trials);

}  // namespace pgsluice::bench
