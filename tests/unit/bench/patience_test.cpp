// Goal: what made others wait is not done again and again.
#include "bench/measure/patience.hpp"

#include <gtest/gtest.h>

#include "unit/bench/samples.hpp"

namespace pgsluice::bench {
namespace {

BenchSetting setting(int lanes, std::int64_t rows) {
  return {Walk::kKeyset, lanes, rows};
}

TEST(Patience, LeavesASizeOutOnceSessionsWaitedTwice) {
  auto t = trial(1'000);
  t.gave_way = true;
  Patience patience;
  patience.note(t);
  EXPECT_EQ(patience.why_not(setting(2, 1'000)), "") << "once may be chance";
  patience.note(t);
  EXPECT_NE(patience.why_not(setting(2, 1'000)), "");
  EXPECT_NE(patience.why_not(setting(1, 5'000)), "") << "larger ones hold their locks longer";
  EXPECT_EQ(patience.why_not(setting(2, 500)), "");
}

TEST(Patience, LeavesTimeoutsOutForTheSameLanesAndWalkOnly) {
  auto t = trial(1'000);
  t.ran_into_timeout = true;
  Patience patience;
  patience.note(t);
  patience.note(t);
  EXPECT_NE(patience.why_not(setting(2, 1'000)), "");
  EXPECT_NE(patience.why_not(setting(2, 3'000)), "");
  EXPECT_EQ(patience.why_not(setting(1, 1'000)), "") << "fewer lanes may be in time";
  EXPECT_EQ(patience.why_not({Walk::kBlocks, 2, 1'000}), "");
}

TEST(Patience, DoesNotMindOtherDisturbances) {
  auto t = trial(1'000);
  t.disturbance = "the throttle held it";
  Patience patience;
  for (int i = 0; i < 5; ++i) patience.note(t);
  EXPECT_EQ(patience.why_not(setting(2, 1'000)), "");
}

}  // namespace
}  // namespace pgsluice::bench
