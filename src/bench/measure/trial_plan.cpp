#include "bench/measure/trial_plan.hpp"

#include <algorithm>
#include <random>

#include "report/bench/bench_columns.hpp"

namespace pgsluice::bench {
namespace {

using Round = std::vector<std::optional<BenchSetting>>;

/// Fisher-Yates: std::shuffle may differ between libraries, but the same seed must give the same order.
void shuffle(Round& round, std::mt19937_64& random) {
  for (std::size_t left = round.size(); left > 1; --left) std::swap(round[left - 1], round[random() % left]);
}

std::size_t affordable(const TimeBudget& budget) {
  return static_cast<std::size_t>(std::max(0.0, budget.all_s / (budget.trial_min_s + budget.around_s)));
}

/// Keeps as many settings in the shuffled round as there is time for; the trial of the traffic alone always
/// stays.
void cut(Round& round, std::size_t fit, TrialPlan& plan) {
  std::size_t surplus = round.size() - std::min(fit, round.size());
  for (auto it = round.end(); it != round.begin() && surplus > 0 && round.size() > 1;) {
    --it;
    if (!it->has_value()) continue;
    plan.left_out.push_back(report::setting_in_words(**it) + ": no time for it");
    it = round.erase(it);
    --surplus;
  }
}

}  // namespace

std::vector<BenchSetting> settings_of(const std::vector<Walk>& walks, const std::vector<int>& lanes,
                                      const std::vector<std::int64_t>& sizes) {
  std::vector<BenchSetting> settings;
  for (const auto walk : walks) {
    for (const auto lane_count : lanes) {
      for (const auto rows : sizes) settings.push_back({walk, lane_count, rows});
    }
  }
  return settings;
}

TrialPlan plan_trials(const Sweep& sweep, const TimeBudget& budget, std::uint64_t seed) {
  Round round(sweep.settings.begin(), sweep.settings.end());
  if (sweep.has_traffic) round.emplace_back();
  std::mt19937_64 random(seed);
  shuffle(round, random);

  TrialPlan plan;
  const auto fit = affordable(budget);
  const auto rounds_fit = static_cast<int>(fit / round.size());
  plan.rounds_that_fit = std::clamp(rounds_fit, 1, sweep.repeat);
  if (rounds_fit < 1) cut(round, fit, plan);
  const auto trials = static_cast<double>(round.size()) * plan.rounds_that_fit;
  plan.trial_s = std::clamp(budget.all_s / trials - budget.around_s, budget.trial_min_s, budget.trial_max_s);
  for (int i = 0; i < sweep.repeat; ++i) {
    if (i > 0) shuffle(round, random);
    plan.order.insert(plan.order.end(), round.begin(), round.end());
  }
  return plan;
}

}  // namespace pgsluice::bench
