#include "governor/signals/slowdown.hpp"

#include <algorithm>

namespace pgsluice::governor {

void Slowdown::Mean::add(double value, int looks_most) {
  looks_ = std::min(looks_ + 1, looks_most);
  value_ += (value - value_) / looks_;
}

void Slowdown::observe(const WorkReading& reading) {
  all_.add(reading.others, kLooksMost);
  if (reading.lanes > 0) {
    beside_.add(reading.others, kLooksMost);
  } else {
    between_.add(reading.others, is_pausing_ ? kLooksMostOfPauses : kLooksMost);
  }
  follow_pauses(reading.lanes > 0);
}

void Slowdown::follow_pauses(bool is_beside) {
  if (!is_pausing_) {
    looks_ = is_beside ? looks_ + 1 : 0;
    if (looks_ < kLooksUntilPause || all_.value() < kNobody) return;
    is_pausing_ = true;
    looks_ = looks_between_ = 0;
    return;
  }
  ++looks_;
  if (!is_beside) ++looks_between_;
  if (looks_between_ < kLooksOfPause && looks_ < kLooksOfPauseMost) return;
  is_pausing_ = false;
  looks_ = 0;
}

double Slowdown::share_least(int lanes) {
  return std::min(kShareMost, kShareLeast + kShareOfFurther * (lanes - 1));
}

Sample Slowdown::sample(const ThrottleLimits& limits, int lanes, TimePoint taken_at) const {
  Sample sample;
  sample.name = "slowdown";
  sample.unit = "%";
  sample.limit = static_cast<double>(limits.slowdown);
  sample.pace_least = share_least(lanes) / std::max(1, lanes);
  sample.taken_at = taken_at;
  if (all_.value() < kNobody) {
    sample.pace_least = 1;
    return sample;
  }
  if (!beside_.is_enough() || !between_.is_enough()) {
    sample.value = kAssumed;
    sample.reason = "assumed: others are at work, and there are not enough observations yet";
    return sample;
  }
  sample.value = std::max(0.0, 100 * ((beside_.value() + kEvening) / (between_.value() + kEvening) - 1));
  sample.reason = "with " + quantity_text(beside_.value(), "sessions") +
                  " of others at work during batches, " + quantity_text(between_.value(), "between them");
  return sample;
}

}  // namespace pgsluice::governor
