#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench/measure/trial_result.hpp"

namespace pgsluice::bench {

/// Which settings are not worth another trial, or must not be tried again: a setting that made sessions wait
/// twice is not tried a third time. Pure; confined to the thread that decides.
class Patience {
 public:
  static constexpr int kTimes = 2;

  void note(const TrialResult& trial);

  /// The reason in words; empty: try it.
  std::string why_not(const BenchSetting& setting) const;

 private:
  struct Refused {
    BenchSetting setting;
    int times = 0;
  };
  int give_ways_ = 0;
  std::optional<std::int64_t> too_large_;  // batch size from which sessions waited
  std::vector<Refused> timeouts_;
};

}  // namespace pgsluice::bench
