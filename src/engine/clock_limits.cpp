#include "engine/clock_limits.hpp"

#include <ctime>

namespace pgsluice::engine {
namespace {

constexpr int kMinutesPerDay = 24 * 60;

std::tm local_time(std::time_t at) {
  std::tm out{};
  localtime_r(&at, &out);
  return out;
}

}  // namespace

bool is_inside(const Window& window, int minute_of_day) {
  if (window.from_minute <= window.to_minute) {
    return minute_of_day >= window.from_minute && minute_of_day < window.to_minute;
  }
  return minute_of_day >= window.from_minute || minute_of_day < window.to_minute;
}

int minutes_until(int from_minute, int until_minute) {
  const int minutes = (until_minute - from_minute + kMinutesPerDay) % kMinutesPerDay;
  return minutes == 0 ? kMinutesPerDay : minutes;
}

bool is_past_until(int until_minute, std::chrono::steady_clock::time_point began,
                   std::chrono::steady_clock::time_point now) {
  const auto run_for = std::chrono::duration_cast<std::chrono::seconds>(now - began);
  const std::time_t began_at = std::time(nullptr) - run_for.count();
  const auto at = local_time(began_at);
  const auto due = std::chrono::minutes{minutes_until(at.tm_hour * 60 + at.tm_min, until_minute)} -
                   std::chrono::seconds{at.tm_sec};
  return run_for >= due;
}

}  // namespace pgsluice::engine
