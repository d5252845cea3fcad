// Goal: a time of day means what a person who reads a clock means, in the nights of a clock change too.

#include "base/local_time.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <string>

namespace pgsluice::base {
namespace {

constexpr int at(int hour, int minute = 0) {
  return hour * 60 + minute;
}

/// Clocks of one zone, for as long as it lives.
class Zone {
 public:
  explicit Zone(const char* name) {
    if (const char* before = std::getenv("TZ")) before_ = before;
    setenv("TZ", name, 1);
    tzset();
  }
  ~Zone() {
    before_ ? setenv("TZ", before_->c_str(), 1) : unsetenv("TZ");
    tzset();
  }

 private:
  std::optional<std::string> before_;
};

constexpr const char* kBerlin = "CET-1CEST,M3.5.0,M10.5.0/3";
constexpr std::time_t kHour = 3600;
constexpr std::time_t kSpring = 1774746000;  // 2026-03-29 02:00 CET, when it becomes 03:00 CEST
constexpr std::time_t kAutumn = 1792890000;  // 2026-10-25 03:00 CEST, when it becomes 02:00 CET

TEST(Until, IsTheNextSuchMoment) {
  const Zone zone("UTC");
  const std::time_t noon = 1767268800;  // 2026-01-01 12:00:00
  EXPECT_EQ(next_local_time(at(13), noon), noon + kHour);
  EXPECT_EQ(next_local_time(at(6), noon), noon + 18 * kHour);
  EXPECT_EQ(next_local_time(at(12), noon), noon + 24 * kHour) << "not at once: the run has just begun";
  EXPECT_EQ(next_local_time(at(12, 1), noon + 59), noon + 60);
}

TEST(Until, MeansTheClockOfTheNightThatLosesAnHour) {
  const Zone zone(kBerlin);
  const auto evening = kSpring - 4 * kHour;  // 22:00
  EXPECT_EQ(next_local_time(at(6), evening), evening + 7 * kHour);
  EXPECT_EQ(next_local_time(at(1, 30), evening), kSpring - kHour / 2);
  EXPECT_EQ(next_local_time(at(2, 30), evening), kSpring) << "no clock shows 02:30: it is over at 03:00";
}

TEST(Until, MeansTheClockOfTheNightThatGainsAnHour) {
  const Zone zone(kBerlin);
  const auto evening = kAutumn - 5 * kHour;  // 22:00
  EXPECT_EQ(next_local_time(at(6), evening), evening + 9 * kHour);
  EXPECT_EQ(next_local_time(at(2, 30), evening), kAutumn - kHour / 2) << "the first of two";
  EXPECT_EQ(next_local_time(at(2, 30), kAutumn - kHour / 2), kAutumn + kHour / 2) << "the second of two";
}

}  // namespace
}  // namespace pgsluice::base
