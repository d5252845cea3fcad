// Goal: waits grow, stay under their cap, differ between lanes, and end. Method: tables and many seeds; no
// clock.
#include "base/backoff.hpp"

#include <gtest/gtest.h>

#include <set>

namespace pgsluice::base {
namespace {

using std::chrono::milliseconds;

Backoff with_seed(std::uint64_t seed) {
  return {milliseconds{10}, milliseconds{1'000}, Backoff::kNoLimit, seed};
}

// The longest wait that any of many seeds gives for this attempt.
milliseconds longest(int attempt) {
  milliseconds most{0};
  for (std::uint64_t seed = 0; seed < 2'000; ++seed) most = std::max(most, *with_seed(seed).next(attempt));
  return most;
}

TEST(Backoff, DoublesTheLongestWaitWithEveryAttempt) {
  EXPECT_EQ(longest(1).count(), 10);
  EXPECT_EQ(longest(2).count(), 20);
  EXPECT_EQ(longest(3).count(), 40);
}

TEST(Backoff, NeverWaitsLongerThanItsCap) {
  for (const int attempt : {7, 8, 9, 31, 64, 1'000'000, Backoff::kNoLimit - 1}) {
    const auto most = longest(attempt);
    EXPECT_LE(most.count(), attempt < 8 ? 640 : 1'000) << "attempt " << attempt;
    EXPECT_GT(most.count(), attempt < 8 ? 600 : 950) << "attempt " << attempt;
  }
}

TEST(Backoff, WaitsAtLeastAMillisecond) {
  for (std::uint64_t seed = 0; seed < 2'000; ++seed) EXPECT_GE(with_seed(seed).next(1)->count(), 1);
  EXPECT_EQ(Backoff({milliseconds{0}, milliseconds{0}, 3, 1}).next(1), milliseconds{1});
}

TEST(Backoff, SpreadsLanesOverTheWholeWait) {
  std::set<milliseconds> waits;
  for (std::uint64_t seed = 0; seed < 200; ++seed) waits.insert(*with_seed(seed).next(7));
  EXPECT_GT(waits.size(), 150U);
  EXPECT_LT(waits.begin()->count(), 100);
}

TEST(Backoff, GivesTheSameWaitForTheSameSeedAndAttempt) {
  EXPECT_EQ(with_seed(7).next(5), with_seed(7).next(5));
}

TEST(Backoff, GivesUpAfterTheLastAttempt) {
  const Backoff backoff{milliseconds{10}, milliseconds{100}, 3, 1};
  EXPECT_TRUE(backoff.next(1));
  EXPECT_TRUE(backoff.next(2));
  EXPECT_FALSE(backoff.next(3));
}

TEST(Backoff, NeverWaitsPastItsDeadline) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    EXPECT_LE(with_seed(seed).next(9, milliseconds{30})->count(), 30);
  }
  EXPECT_FALSE(with_seed(1).next(1, milliseconds{0}));
  EXPECT_FALSE(with_seed(1).next(1, milliseconds{-5}));
}

}  // namespace
}  // namespace pgsluice::base
