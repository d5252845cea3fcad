#include "walk/batch_size/sizer.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/units.hpp"

namespace pgsluice::walk {
namespace {

double in_ms(std::chrono::nanoseconds duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

std::string duration_in_words(double ms) {
  return base::format_duration(Milliseconds{std::llround(ms)});
}

double median(const std::deque<double>& values) {
  std::vector<double> sorted(values.begin(), values.end());
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  return *middle;
}

// The job layer refuses limits that contradict each other; here they just must do no harm.
BatchLimits made_sane(BatchLimits limits) {
  limits.rows_min = std::max<std::int64_t>(limits.rows_min, 1);
  limits.rows_max = std::max(limits.rows_max, limits.rows_min);
  limits.rows = std::clamp(limits.rows, limits.rows_min, limits.rows_max);
  limits.target = std::max(limits.target, Milliseconds{1});
  return limits;
}

}  // namespace

Sizer::Sizer(const BatchLimits& limits) : limits_(made_sane(limits)), rows_(limits_.rows) {}

std::optional<Tune> Sizer::record(std::int64_t rows_requested, std::int64_t rows_visited,
                                  std::chrono::nanoseconds duration) {
  if (!is_present_size(rows_requested)) return std::nullopt;
  if (batches_until_growth_ > 0) --batches_until_growth_;

  const double took_ms = in_ms(duration);
  const double target_ms = in_ms(limits_.target);
  const bool is_short = rows_visited < rows_requested;
  if (took_ms >= kCutFrom * target_ms) {
    patience_ = kWindowMin;
    const double fitting = is_short ? 0.5 : std::min(0.5, target_ms / took_ms);
    return move_to(static_cast<double>(rows_) * fitting, "one batch took " + duration_in_words(took_ms) +
                                                             ", target " + duration_in_words(target_ms));
  }
  if (is_short) return std::nullopt;
  recent_ms_.push_back(took_ms);
  if (recent_ms_.size() > std::max(kWindow, patience_)) recent_ms_.pop_front();
  return settle();
}

// Moves towards the target once enough batches agree; upwards as soon as one took a third of the target or
// less, because a batch that short does no harm when it grows by half, unless such a move was reverted
// before.
std::optional<Tune> Sizer::settle() {
  const double target_ms = in_ms(limits_.target);
  const double typical_ms = std::max(median(recent_ms_), 1e-9);
  const double factor = std::min(target_ms / typical_ms, kGrowthMax);
  const bool is_far_below = patience_ == kWindowMin && recent_ms_.back() * kCutFrom <= target_ms;
  const bool is_far_off = recent_ms_.size() >= kWindow &&
                          (typical_ms >= kFarOff * target_ms || kFarOff * typical_ms <= target_ms);
  if (recent_ms_.size() < patience_ && !is_far_off && !(factor > 1 && is_far_below)) return std::nullopt;
  if (std::abs(typical_ms - target_ms) <= kDeadBand * target_ms) return std::nullopt;
  if (factor > 1 && batches_until_growth_ > 0) return std::nullopt;

  const auto present = static_cast<double>(rows_);
  if (factor > 1 && present >= growth_most()) return std::nullopt;
  if (is_far_off) patience_ = kWindowMin;
  turn(factor > 1);
  return move_to(
      factor > 1 ? std::min(growth_most(), std::max(present * factor, present + 1)) : present * factor,
      "batches took " + duration_in_words(typical_ms) + ", target " + duration_in_words(target_ms));
}

void Sizer::turn(bool is_up) {
  if (was_up_ && *was_up_ != is_up) patience_ = std::min(kPatienceMax, 2 * patience_);
  was_up_ = is_up;
}

std::optional<Tune> Sizer::shrink_after_timeout(std::int64_t rows_requested) {
  return divide(rows_requested, kTimeoutTargets, "a batch ran into its statement_timeout");
}

std::optional<Tune> Sizer::yield_to_waiter(std::int64_t rows_requested) {
  batches_until_growth_ = kBatchesUntilGrowth;
  return divide(rows_requested, 2, "a batch gave way to a session that was waiting for it");
}

std::optional<Tune> Sizer::retarget(const BatchLimits& limits) {
  const BatchLimits before = limits_;
  limits_ = made_sane(limits);
  if (limits_.target != before.target) patience_ = kWindowMin;
  double rows = static_cast<double>(rows_);
  if (limits_.rows != before.rows) {
    rows = static_cast<double>(limits_.rows);
  } else if (limits_.target < before.target) {
    rows *= in_ms(limits_.target) / in_ms(before.target);
  }
  return move_to(rows, "the batch limits changed");
}

std::optional<Tune> Sizer::divide(std::int64_t rows_requested, double by, const std::string& cause) {
  if (!is_present_size(rows_requested)) return std::nullopt;
  return move_to(static_cast<double>(rows_) / by, cause);
}

std::optional<Tune> Sizer::note_changed(std::int64_t rows_visited, std::int64_t rows_changed,
                                        std::chrono::nanoseconds duration) {
  if (rows_changed < limits_.rows_min || 2 * rows_changed < rows_visited) return std::nullopt;
  const double price = in_ms(duration) / static_cast<double>(rows_changed);
  changed_row_ms_ = changed_row_ms_ ? (1 - kPriceWeight) * *changed_row_ms_ + kPriceWeight * price : price;
  if (static_cast<double>(rows_) <= kGrowthMax * growth_most()) return std::nullopt;
  return move_to(growth_most(), "the last batch changed most of its rows");
}

double Sizer::growth_most() const {
  const auto most = static_cast<double>(limits_.rows_max);
  return changed_row_ms_ ? std::min(most, kDenseMost * in_ms(limits_.target) / *changed_row_ms_) : most;
}

bool Sizer::is_present_size(std::int64_t rows_requested) const {
  const double difference = std::abs(static_cast<double>(rows_requested - rows_));
  return difference <= kSameSize * static_cast<double>(rows_);
}

std::optional<Tune> Sizer::move_to(double rows, const std::string& cause) {
  const auto wanted = static_cast<std::int64_t>(std::min(rows, static_cast<double>(limits_.rows_max)));
  const std::int64_t to = std::clamp(wanted, limits_.rows_min, limits_.rows_max);
  if (to == rows_) return std::nullopt;
  const Tune tune{rows_, to, cause};
  rows_ = to;
  recent_ms_.clear();
  return tune;
}

}  // namespace pgsluice::walk
