#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pgsluice/bench.hpp"

namespace pgsluice::bench {

/// With a good setting the traffic's p99 is below this many times its p99 without us.
inline constexpr double kOthersSlowdownMax = 2;

/// Which setting to use, and why.
struct Verdict {
  std::optional<std::size_t> winner;  // place in the figures
  std::string reason;
  std::string advice;  // lines for the job file; empty without a winner
};

/// Most rows per second among the settings whose batch p95 meets `batch.target`; with traffic, among those
/// for which the traffic's p99 also stays below kOthersSlowdownMax times its p99 alone. Pure.
Verdict judge(const std::vector<BenchFigures>& figures, const Spread& others_alone_p99_ms,
              const BatchLimits& batch, const std::string& step);

}  // namespace pgsluice::bench
