#include "telling/tally.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

namespace pgsluice::engine {

void DurationHistogram::add(std::chrono::nanoseconds duration) {
  const double s = std::chrono::duration<double>(duration).count();
  const double place = s <= kFirst ? 0 : std::log(s / kFirst) / std::log(kWidth);
  ++buckets_[std::min(kBuckets - 1, static_cast<std::size_t>(place))];
  ++count_;
  max_s_ = std::max(max_s_, s);
}

double DurationHistogram::quantile(double share) const {
  const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets && count_ > 0; ++i) {
    seen += buckets_[i];
    if (seen >= wanted) return std::min(max_s_, kFirst * std::pow(kWidth, static_cast<double>(i) + 0.5));
  }
  return 0;
}

void add(RowCounts& sum, const RowCounts& rows) {
  sum.changed += rows.changed;
  sum.already_right += rows.already_right;
  sum.quarantined += rows.quarantined;
  sum.unchanged += rows.unchanged;
}

RowCounts difference(const RowCounts& later, const RowCounts& earlier) {
  return {later.changed - earlier.changed, later.already_right - earlier.already_right,
          later.quarantined - earlier.quarantined, later.unchanged - earlier.unchanged};
}

void Tally::begin_step() {
  recent_.clear();
  step_began_ = std::chrono::steady_clock::now();
}

void Tally::batch_committed(const RowCounts& rows, std::chrono::nanoseconds duration, TimePoint now) {
  add(run_, rows);
  ++batches;
  batch_times.add(duration);
  recent_.push_back({now, rows.visited(), duration});
  while (recent_.size() > kRecentMax || now - recent_.front().at > kRateWindow) recent_.pop_front();
}

void Tally::updates_told(std::int64_t changed, std::int64_t hot, std::optional<double> wal_bytes) {
  const auto rows = static_cast<double>(changed);
  hot_ = {hot_.of + rows, hot_.part + static_cast<double>(hot)};
  if (wal_bytes) wal_ = {wal_.of + rows, wal_.part + *wal_bytes};
}

double Tally::hot_percent() const {
  return hot_.of > 0 ? 100 * hot_.part / hot_.of : -1;
}

double Tally::wal_bytes_per_row() const {
  return wal_.of > 0 ? wal_.part / wal_.of : -1;
}

double Tally::rows_per_second(TimePoint now) const {
  if (recent_.empty()) return 0;
  std::int64_t rows = 0;
  for (const auto& done : recent_) rows += now - done.at <= kRateWindow ? done.visited : 0;
  const auto span = std::min<std::chrono::duration<double>>(now - step_began_, kRateWindow).count();
  return span > 0 ? static_cast<double>(rows) / span : 0;
}

std::chrono::milliseconds Tally::recent_batch_time() const {
  std::vector<std::chrono::nanoseconds> times;
  constexpr std::size_t kEnough = 21;  // an odd number has a middle
  for (auto it = recent_.rbegin(); it != recent_.rend() && times.size() < kEnough; ++it)
    times.push_back(it->duration);
  if (times.empty()) return {};
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return std::chrono::duration_cast<std::chrono::milliseconds>(*middle);
}

}  // namespace pgsluice::engine
