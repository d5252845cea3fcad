// Goal: beside others lanes are at work one after the other, for the share of the time that is left to them.
// Method: simulated lanes whose batches take a varying time; each asks again when its batch has ended.
#include "governor/turns.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace pgsluice::governor {
namespace {

using std::chrono::milliseconds;

const TimePoint kStart{std::chrono::hours{1}};

struct Shares {
  double busy = 0;      // time with a batch
  double together = 0;  // time with two or more
};

/// `share` of one lane's time, for `lanes` lanes whose batches take `from` to `to` ms.
Shares simulate(int lanes, double share, int from, int to) {
  std::mt19937 random(7);
  std::uniform_int_distribution<int> time(from, to);
  Turns turns;
  std::vector<int> left(static_cast<std::size_t>(lanes));  // of a lane's batch; 0: it asks
  std::vector<milliseconds> took(left.size());
  constexpr int kSpan = 60'000;
  Shares shares;
  for (int ms = 0; ms < kSpan; ++ms) {
    const auto now = kStart + milliseconds(ms);
    for (std::size_t lane = 0; lane < left.size(); ++lane) {
      if (left[lane] > 0 && --left[lane] == 0) turns.ended(now, took[lane], share);
      if (left[lane] > 0 || !turns.may_start(now, share)) continue;
      turns.started(now, share);
      left[lane] = time(random);
      took[lane] = milliseconds(left[lane]);
    }
    const auto busy = std::count_if(left.begin(), left.end(), [](int ms_left) { return ms_left > 0; });
    shares.busy += busy > 0 ? 1.0 / kSpan : 0;
    shares.together += busy > 1 ? 1.0 / kSpan : 0;
  }
  return shares;
}

TEST(Turns, KeepLanesApartAndToTheirShare) {
  for (const int lanes : {1, 2, 4}) {
    const auto shares = simulate(lanes, 0.5, 10, 14);
    EXPECT_NEAR(shares.busy, 0.5, 0.05) << lanes << " lanes";
    EXPECT_EQ(shares.together, 0) << lanes << " lanes";
  }
}

TEST(Turns, ArePaidForByThePauseBehindALongBatch) {
  for (const int lanes : {1, 2})
    EXPECT_NEAR(simulate(lanes, 0.5, 5, 40).busy, 0.5, 0.03) << lanes << " lanes";
}

TEST(Turns, WaitForABatchThatTakesLongerThanExpected) {
  EXPECT_EQ(simulate(4, 0.5, 5, 400).together, 0);
}

TEST(Turns, AreGivenBackWithoutAPauseWhereNoBatchCommitted) {
  Turns turns;
  turns.started(kStart, 0.5);
  turns.ended(kStart + milliseconds(12), milliseconds(12), 0.5);
  turns.started(kStart + milliseconds(24), 0.5);
  turns.ended(kStart + milliseconds(174), milliseconds(0), 0.5);  // it waited for somebody's row
  EXPECT_TRUE(turns.may_start(kStart + milliseconds(174), 0.5));
  turns.started(kStart + milliseconds(174), 0.5);
  EXPECT_EQ(turns.next(), kStart + milliseconds(198)) << "and it is no measure of the next one";
}

TEST(Turns, OverlapOnlyWhereThereIsTimeForMoreThanOneLane) {
  EXPECT_EQ(simulate(4, 0.9, 12, 12).together, 0);
  EXPECT_GT(simulate(4, 2, 12, 12).together, 0.9);
}

}  // namespace
}  // namespace pgsluice::governor
