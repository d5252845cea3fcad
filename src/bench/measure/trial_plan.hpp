#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pgsluice/bench.hpp"

namespace pgsluice::bench {

/// Everything to try.
struct Sweep {
  std::vector<BenchSetting> settings;
  int repeat = 1;
  bool has_traffic = false;  // then every round also has a trial of the traffic alone
};

/// The available time, in seconds.
struct TimeBudget {
  double all_s = 0;
  double around_s = 0;     // overhead of each trial
  double trial_min_s = 0;  // a shorter trial shows nothing
  double trial_max_s = 0;  // a longer one shows nothing more
};

/// The trials in order: rounds, each with every setting once, shuffled. It includes more rounds than fit, in
/// case trials take less time than planned.
struct TrialPlan {
  std::vector<std::optional<BenchSetting>> order;  // without a setting: the traffic alone
  int rounds_that_fit = 0;
  double trial_s = 0;
  std::vector<std::string> left_out;  // what there is no time for, in words
};

/// Every setting of the sweep. Ordered by walk, lanes, size.
std::vector<BenchSetting> settings_of(const std::vector<Walk>& walks, const std::vector<int>& lanes,
                                      const std::vector<std::int64_t>& sizes);

/// Fits the sweep into the time: trials as long as it allows, else fewer rounds, else one round with a random
/// choice of settings. The same seed gives the same order. Pure. REQUIRES: at least one setting, repeat above
/// 0.
TrialPlan plan_trials(const Sweep& sweep, const TimeBudget& budget, std::uint64_t seed);

}  // namespace pgsluice::bench
