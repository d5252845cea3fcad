#include "governor/replay_window.hpp"

#include <algorithm>

namespace pgsluice::governor {

void ReplayWindow::observe(TimePoint at, Lsn replay, double behind, double limit_s) {
  if (!marks_.empty() && replay < marks_.back().replay) *this = {};
  const double passed = marks_.empty() ? 0 : seconds_between(marks_.back().at, at);
  marks_.push_back({at, replay, behind >= kBusyBytes});
  // The first one kept is the youngest that is at least as old as the time to look over.
  while (marks_.size() > 2 && at - marks_[1].at >= kOver) marks_.pop_front();
  if (marks_.size() < 2) return;

  const double shown = kShare * limit_s * rate_since(0);
  const auto busy = first_busy();
  if (behind < kBusyBytes || behind * kShare <= kKeepsUp * shown) {
    bytes_ = std::max(bytes_ * (1 + kGrowsEachSecond * passed), kGrows * shown);
    bytes_ = std::min(bytes_, std::max(kStartBytes, kMost * shown));
  } else if (busy + 1 < marks_.size()) {
    bytes_ = std::max(kBusyBytes, kShare * limit_s * rate_since(busy));
  }
}

std::size_t ReplayWindow::first_busy() const {
  auto first = marks_.size() - 1;
  while (first > 0 && marks_[first].is_busy && marks_[first - 1].is_busy) --first;
  return first;
}

double ReplayWindow::rate_since(std::size_t first) const {
  const double seconds = seconds_between(marks_[first].at, marks_.back().at);
  if (seconds <= 0) return 0;
  return static_cast<double>(marks_.back().replay - marks_[first].replay) / seconds;
}

}  // namespace pgsluice::governor
