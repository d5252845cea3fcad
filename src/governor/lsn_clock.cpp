#include "governor/lsn_clock.hpp"

#include <algorithm>
#include <iterator>

namespace pgsluice::governor {

void LsnClock::record(TimePoint at, Lsn flush) {
  if (!marks_.empty() && at < marks_.back().at) return;
  while (!marks_.empty() && marks_.back().flush > flush) marks_.pop_back();
  // An idle primary needs no new mark: whatever it writes next is younger than our last look at it.
  if (!marks_.empty() && (marks_.back().flush == flush || marks_.back().at == at)) {
    marks_.back() = {at, flush};
    return;
  }
  if (marks_.size() >= kMarksMax) thin_out(at);
  marks_.push_back({at, flush});
}

LagTime LsnClock::lag_of(Lsn replay, TimePoint now) const {
  if (marks_.empty()) return {std::nullopt, "the primary's WAL position has not been read yet"};
  if (replay >= marks_.back().flush) return {0.0, {}};
  const auto after = std::upper_bound(marks_.begin(), marks_.end(), replay,
                                      [](Lsn lsn, const Mark& mark) { return lsn < mark.flush; });
  if (after == marks_.begin()) return {std::nullopt, "behind our first sample"};
  return {std::max(0.0, seconds_between(std::prev(after)->at, now)), {}};
}

std::uint64_t LsnClock::bytes_behind(Lsn replay) const {
  if (marks_.empty() || replay >= marks_.back().flush) return 0;
  return marks_.back().flush - replay;
}

std::uint64_t LsnClock::bytes_to_come(Lsn replay) const {
  if (!insert_ || *insert_ <= replay) return bytes_behind(replay);
  return *insert_ - replay;
}

// Drops a mark if the gap it leaves stays small relative to its age. Afterwards at least a quarter is free,
// so that the work is spread over many records.
void LsnClock::thin_out(TimePoint now) {
  std::vector<Mark> kept;
  kept.reserve(kMarksMax);
  for (std::size_t i = 0; i < marks_.size(); ++i) {
    const bool is_edge = i == 0 || i + 1 == marks_.size();
    if (is_edge || (marks_[i + 1].at - kept.back().at) * kResolution > now - marks_[i].at)
      kept.push_back(marks_[i]);
  }
  constexpr std::size_t kAfterwardsMax = kMarksMax / 4 * 3;
  if (kept.size() > kAfterwardsMax) {
    kept.erase(kept.begin(), kept.end() - static_cast<std::ptrdiff_t>(kAfterwardsMax));
  }
  marks_ = std::move(kept);
}

}  // namespace pgsluice::governor
