// Goal: windows mean what a person who reads a clock means, across midnight too.

#include "engine/run/stopping/clock_limits.hpp"

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

}  // namespace
}  // namespace pgsluice::engine
