#include "bench/measure/patience.hpp"

#include <algorithm>

#include "base/units.hpp"

namespace pgsluice::bench {

void Patience::note(const TrialResult& trial) {
  if (trial.gave_way && ++give_ways_ >= kTimes) {
    too_large_ = std::min(too_large_.value_or(trial.setting.rows), trial.setting.rows);
  }
  if (!trial.ran_into_timeout) return;
  const auto known = std::find_if(timeouts_.begin(), timeouts_.end(),
                                  [&](const Refused& r) { return r.setting == trial.setting; });
  if (known == timeouts_.end()) {
    timeouts_.push_back({trial.setting, 1});
  } else {
    ++known->times;
  }
}

std::string Patience::why_not(const BenchSetting& setting) const {
  if (too_large_ && setting.rows >= *too_large_) {
    return base::format_count(*too_large_) + " rows or more: sessions waited for us " +
           std::to_string(give_ways_) + " times";
  }
  for (const auto& refused : timeouts_) {
    const auto& s = refused.setting;
    const bool covers = s.walk == setting.walk && s.lanes == setting.lanes && s.rows <= setting.rows;
    if (covers && refused.times >= kTimes) return "its batches run into their statement_timeout";
  }
  return {};
}

}  // namespace pgsluice::bench
