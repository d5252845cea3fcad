// Goal: medians and percentiles that a single disturbed trial does not move.
#include "bench/measure/figures.hpp"

#include <gtest/gtest.h>

#include "unit/bench/samples.hpp"

namespace pgsluice::bench {
namespace {

TEST(Figures, MedianIsTheMiddleOrTheMeanOfTheTwoMiddleValues) {
  EXPECT_DOUBLE_EQ(spread_of({3, 100, 1}).median, 3);
  EXPECT_DOUBLE_EQ(spread_of({4, 1, 2, 100}).median, 3);
  EXPECT_FALSE(spread_of({}).is_known());
}

TEST(Figures, SpreadReachesFromTheLowestToTheHighest) {
  const auto s = spread_of({5, 2, 9});
  EXPECT_DOUBLE_EQ(s.min, 2);
  EXPECT_DOUBLE_EQ(s.max, 9);
  EXPECT_EQ(s.count, 3);
}

TEST(Figures, PercentileIsAValueThatWasSeen) {
  std::vector<double> values;
  for (int i = 100; i >= 1; --i) values.push_back(i);
  EXPECT_DOUBLE_EQ(at_share(values, 0.99), 100);
  EXPECT_DOUBLE_EQ(at_share(values, 0.5), 51);
  EXPECT_DOUBLE_EQ(at_share({7}, 0.99), 7);
  EXPECT_DOUBLE_EQ(at_share({}, 0.99), 0);
}

TEST(Figures, DisturbedTrialsDoNotCountAndAreTold) {
  auto slow = trial(100);
  slow.duration_s = 50;
  slow.disturbance = "the throttle held it";
  const auto f = figures_of(trial(100).setting, {trial(100), slow, slow, trial(200)});
  EXPECT_EQ(f.trials, 1);
  EXPECT_DOUBLE_EQ(f.rows_per_second.median, 1'000);
  ASSERT_EQ(f.remarks.size(), 1U);
  EXPECT_EQ(f.remarks.front(), "the throttle held it (2 times)");
}

TEST(Figures, WhatWasNotMeasuredIsNotKnownRatherThanZero) {
  const auto f = figures_of(trial(100).setting, {trial(100)});
  EXPECT_FALSE(f.cpu_us_per_row.is_known());
  EXPECT_FALSE(f.others_p99_ms.is_known());
}

TEST(Figures, CostsAreThoseOfARowChanged) {
  auto t = trial(100);
  add_costs(80'000, -5, 0.002, t);
  EXPECT_DOUBLE_EQ(*t.heap_bytes_per_row, 80);
  EXPECT_DOUBLE_EQ(*t.index_bytes_per_row, 0) << "vacuum gave pages back meanwhile";
  EXPECT_DOUBLE_EQ(*t.cpu_us_per_row, 2);
}

TEST(Figures, ATrialWithoutRowsHasNoCostsOfARow) {
  auto t = trial(100);
  t.rows_changed = 0;
  add_costs(80'000, 0, 1, t);
  EXPECT_EQ(t.heap_bytes_per_row, std::nullopt);
}

}  // namespace
}  // namespace pgsluice::bench
