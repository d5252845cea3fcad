// Goal: what time alone brings about comes about without the server.

#include "engine/run/stopping/clocks.hpp"

#include <gtest/gtest.h>

namespace pgsluice::engine {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

constexpr std::time_t kNoon = 1767268800;

class ClocksTest : public ::testing::Test {
 protected:
  StopCause cause_after(const Clocks& clocks, std::chrono::steady_clock::duration passed, std::time_t wall) {
    Stop stop;
    clocks.look(throttle_, gate_, blockers_, stop, began_ + passed, wall);
    return stop.cause();
  }

  std::optional<Window> window_;
  ThrottleLimits throttle_;
  Gate gate_;
  Blockers blockers_;
  RunOptions options_;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

TEST_F(ClocksTest, ForIsOverAfterThatTime) {
  options_.duration = seconds{10};
  const Clocks clocks(options_, window_, began_);
  EXPECT_EQ(cause_after(clocks, seconds{9}, kNoon + 9), StopCause::kNone);
  EXPECT_EQ(cause_after(clocks, seconds{10}, kNoon + 10), StopCause::kDuration);
}

TEST_F(ClocksTest, UntilIsTheInstantOfTheStartAlsoWhenTheClockIsSetForwardOverIt) {
  const std::time_t due = kNoon + 600;
  options_.until = due;
  const Clocks clocks(options_, window_, began_);
  EXPECT_EQ(cause_after(clocks, seconds{599}, due - 1), StopCause::kNone);
  EXPECT_EQ(cause_after(clocks, seconds{600}, due), StopCause::kUntil);
  EXPECT_EQ(cause_after(clocks, seconds{5}, due + 3600), StopCause::kUntil);
}

TEST_F(ClocksTest, TheWindowClosesByTheServersClockThoughNobodyReadsItAnyMore) {
  window_ = Window{22 * 60, 6 * 60, "UTC"};
  Clocks clocks(options_, window_, began_);
  EXPECT_EQ(cause_after(clocks, hours{1}, kNoon), StopCause::kNone) << "nobody has read it yet";
  clocks.set_server_clock(23.5 * 3600, began_);
  EXPECT_EQ(cause_after(clocks, hours{6}, kNoon), StopCause::kNone);
  EXPECT_EQ(cause_after(clocks, hours{6} + std::chrono::minutes{30}, kNoon), StopCause::kWindow);
}

TEST_F(ClocksTest, ALockThatNothingGetsPastIsGivenUp) {
  throttle_.give_up = seconds{30};
  const Clocks clocks(options_, window_, began_);
  const auto cause_after_open = [&](seconds passed) {
    governor::Decision open;
    open.flow = governor::Flow::kGo;
    gate_.decide(open, began_ + passed);
    return cause_after(clocks, passed, kNoon);
  };
  blockers_.gave_up("row (17) is locked by pid 4711", began_ + seconds{1});
  blockers_.gave_up("row (17) is locked by pid 4711", began_ + seconds{29});
  EXPECT_EQ(cause_after_open(seconds{30}), StopCause::kNone);
  EXPECT_EQ(cause_after_open(seconds{31}), StopCause::kHeldTooLong);
  blockers_.clear();
  EXPECT_EQ(cause_after_open(seconds{31}), StopCause::kNone) << "another batch has committed";
}

TEST_F(ClocksTest, ALockIsNoReasonWhileTheGateHolds) {
  throttle_.give_up = seconds{30};
  const Clocks clocks(options_, window_, began_);
  blockers_.gave_up("row (17) is locked by pid 4711", began_);
  gate_.pause("peak hour");
  EXPECT_EQ(cause_after(clocks, seconds{31}, kNoon), StopCause::kNone);
  EXPECT_FALSE(blockers_.since());
}

}  // namespace
}  // namespace pgsluice::engine
