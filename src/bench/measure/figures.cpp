#include "bench/measure/figures.hpp"

#include <algorithm>
#include <map>

namespace pgsluice::bench {
namespace {

using Picked = std::optional<double> (*)(const TrialResult&);

Spread spread_over(const std::vector<TrialResult>& trials, Picked pick) {
  std::vector<double> values;
  for (const auto& trial : trials) {
    if (const auto value = pick(trial)) values.push_back(*value);
  }
  return spread_of(std::move(values));
}

/// Each cause once, with its count.
std::vector<std::string> remarks_of(const std::vector<TrialResult>& trials) {
  std::map<std::string, int> counts;
  for (const auto& trial : trials) {
    if (!trial.disturbance.empty()) ++counts[trial.disturbance];
  }
  std::vector<std::string> remarks;
  for (const auto& [cause, count] : counts)
    remarks.push_back(count == 1 ? cause : cause + " (" + std::to_string(count) + " times)");
  return remarks;
}

}  // namespace

Spread spread_of(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  const auto middle = values.size() / 2;
  const double median = values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
  return {median, values.front(), values.back(), static_cast<int>(values.size())};
}

double at_share(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  const auto index =
      std::min(static_cast<std::size_t>(share * static_cast<double>(values.size())), values.size() - 1);
  const auto place = values.begin() + static_cast<std::ptrdiff_t>(index);
  std::nth_element(values.begin(), place, values.end());
  return *place;
}

BenchFigures figures_of(const BenchSetting& setting, const std::vector<TrialResult>& trials) {
  std::vector<TrialResult> own;
  for (const auto& trial : trials) {
    if (trial.setting == setting) own.push_back(trial);
  }
  BenchFigures f;
  f.setting = setting;
  f.remarks = remarks_of(own);
  std::erase_if(own, [](const TrialResult& t) { return !t.disturbance.empty(); });
  f.trials = static_cast<int>(own.size());
  f.rows_per_second = spread_over(own, [](const TrialResult& t) -> std::optional<double> {
    if (t.duration_s <= 0) return std::nullopt;
    return static_cast<double>(t.rows_changed) / t.duration_s;
  });
  f.batch_p50_ms = spread_over(own, [](const TrialResult& t) { return t.batch_p50_ms; });
  f.batch_p95_ms = spread_over(own, [](const TrialResult& t) { return t.batch_p95_ms; });
  f.batch_p99_ms = spread_over(own, [](const TrialResult& t) { return t.batch_p99_ms; });
  f.wal_bytes_per_row = spread_over(own, [](const TrialResult& t) { return t.wal_bytes_per_row; });
  f.heap_bytes_per_row = spread_over(own, [](const TrialResult& t) { return t.heap_bytes_per_row; });
  f.index_bytes_per_row = spread_over(own, [](const TrialResult& t) { return t.index_bytes_per_row; });
  f.cpu_us_per_row = spread_over(own, [](const TrialResult& t) { return t.cpu_us_per_row; });
  f.hot_percent = spread_over(own, [](const TrialResult& t) { return t.hot_percent; });
  f.others_p50_ms = spread_over(own, [](const TrialResult& t) -> std::optional<double> {
    return t.others ? std::optional(t.others->p50_ms) : std::nullopt;
  });
  f.others_p99_ms = spread_over(own, [](const TrialResult& t) -> std::optional<double> {
    return t.others ? std::optional(t.others->p99_ms) : std::nullopt;
  });
  return f;
}

}  // namespace pgsluice::bench
