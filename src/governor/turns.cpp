#include "governor/turns.hpp"

#include <algorithm>
#include <cmath>

#include "governor/pace.hpp"

namespace pgsluice::governor {
namespace {

// From one start to the next: at most a batch plus kDelayMax.
std::chrono::milliseconds length(std::chrono::milliseconds batch_time, double share) {
  if (share <= 1) return batch_time + delay_after(batch_time, share);
  return std::chrono::milliseconds{std::llround(static_cast<double>(batch_time.count()) / share)};
}

}  // namespace

bool Turns::may_start(TimePoint now, double share) const {
  return now >= next_ && in_work_ < std::max(1.0, share);
}

void Turns::started(TimePoint now, double share) {
  ++in_work_;
  next_ = now + length(batch_time_, share);
}

void Turns::ended(TimePoint now, std::chrono::milliseconds batch_time, double share) {
  --in_work_;
  if (batch_time.count() == 0) return;
  batch_time_ = batch_time;
  const auto next = now - batch_time + length(batch_time, share);
  // With one batch at a time the actual duration replaces the expected one.
  next_ = share <= 1 ? next : std::max(next_, next);
}

}  // namespace pgsluice::governor
