// Goal: windows and --until mean what a person who reads a clock means, across midnight too.

#include "engine/clock_limits.hpp"

#include <gtest/gtest.h>

namespace pgsluice::engine {
namespace {

constexpr int at(int hour, int minute = 0) {
  return hour * 60 + minute;
}

TEST(Window, IsOpenFromItsStartUntilBeforeItsEnd) {
  const Window day{at(9), at(17), "UTC"};
  EXPECT_FALSE(is_inside(day, at(8, 59)));
  EXPECT_TRUE(is_inside(day, at(9)));
  EXPECT_TRUE(is_inside(day, at(16, 59)));
  EXPECT_FALSE(is_inside(day, at(17)));
}

TEST(Window, MayCrossMidnight) {
  const Window night{at(22), at(6), "UTC"};
  EXPECT_TRUE(is_inside(night, at(23)));
  EXPECT_TRUE(is_inside(night, at(0)));
  EXPECT_TRUE(is_inside(night, at(5, 59)));
  EXPECT_FALSE(is_inside(night, at(6)));
  EXPECT_FALSE(is_inside(night, at(12)));
}

TEST(Until, IsTheNextSuchMoment) {
  EXPECT_EQ(minutes_until(at(22), at(6)), 8 * 60);
  EXPECT_EQ(minutes_until(at(5), at(6)), 60);
  EXPECT_EQ(minutes_until(at(6), at(6)), 24 * 60) << "not at once: the run has just begun";
}

TEST(Until, IsNotPastWhenTheRunHasJustBegun) {
  const auto now = std::chrono::steady_clock::now();
  for (int minute = 0; minute < 24 * 60; minute += 7)
    EXPECT_FALSE(is_past_until(minute, now, now) && minutes_until(0, 1) > 1);
}

TEST(Until, IsPastAfterADay) {
  const auto now = std::chrono::steady_clock::now();
  EXPECT_TRUE(is_past_until(at(6), now, now + std::chrono::hours{24}));
}

}  // namespace
}  // namespace pgsluice::engine
