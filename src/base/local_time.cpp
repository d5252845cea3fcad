#include "base/local_time.hpp"

namespace pgsluice::base {
namespace {

constexpr int kMinutesPerDay = 24 * 60;
constexpr std::time_t kSecondsPerMinute = 60;

std::tm local_time(std::time_t at) {
  std::tm out{};
  localtime_r(&at, &out);
  return out;
}

int minute_of_day(const std::tm& local) {
  return local.tm_hour * 60 + local.tm_min;
}

}  // namespace

std::time_t next_local_time(int minute, std::time_t from) {
  // No time zone shifts its clocks by more than a few hours: a day and a half contains every minute of the
  // day.
  const std::time_t last = from + 36 * 3600;
  std::tm local = local_time(from);
  std::time_t at = from - local.tm_sec;
  int shown = minute_of_day(local);
  while (at < last) {
    at += kSecondsPerMinute;
    const int now = minute_of_day(local_time(at));
    const int forward = (now - shown + kMinutesPerDay) % kMinutesPerDay;
    const int wanted = (minute - shown + kMinutesPerDay) % kMinutesPerDay;
    if (wanted == 0 ? forward == 0 : forward < kMinutesPerDay / 2 && wanted <= forward) return at;
    shown = now;
  }
  return last;
}

}  // namespace pgsluice::base
