// Goal: the figures on screen and in the summary are those of the batches, in bounded memory.

#include "telling/tally.hpp"

#include <gtest/gtest.h>

namespace pgsluice::engine {
namespace {

using namespace std::chrono_literals;

TEST(DurationHistogram, QuantilesAreWrongByTwoPercentAtMost) {
  DurationHistogram histogram;
  for (int i = 1; i <= 1000; ++i) histogram.add(std::chrono::milliseconds{i});
  EXPECT_NEAR(histogram.quantile(0.5), 0.5, 0.011);
  EXPECT_NEAR(histogram.quantile(0.99), 0.99, 0.021);
  EXPECT_DOUBLE_EQ(histogram.max_s(), 1.0);
  EXPECT_LE(histogram.quantile(1), histogram.max_s());
}

TEST(DurationHistogram, KnowsNothingWithoutBatches) {
  EXPECT_EQ(DurationHistogram().quantile(0.5), 0);
}

TEST(DurationHistogram, TakesExtremesWithoutLosingThem) {
  DurationHistogram histogram;
  histogram.add(1ns);
  histogram.add(std::chrono::hours{1});
  EXPECT_DOUBLE_EQ(histogram.max_s(), 3600);
  EXPECT_GT(histogram.quantile(0.99), 500);
}

TEST(Tally, CountsRowsAsTheyAre) {
  Tally tally;
  tally.batch_committed({70, 29, 1}, 50ms, std::chrono::steady_clock::now());
  tally.batch_committed({30, 0, 0}, 50ms, std::chrono::steady_clock::now());
  EXPECT_EQ(tally.run_rows().changed, 100);
  EXPECT_EQ(tally.run_rows().already_right, 29);
  EXPECT_EQ(tally.run_rows().quarantined, 1);
  EXPECT_EQ(tally.batches, 2);
}

TEST(Tally, RateForgetsWhatIsLongAgo) {
  Tally tally;
  const auto now = std::chrono::steady_clock::now();
  tally.begin_step();
  tally.batch_committed({1'000, 0, 0}, 50ms, now);
  EXPECT_GT(tally.rows_per_second(now + 1s), 500);
  EXPECT_EQ(tally.rows_per_second(now + 1min), 0);
}

}  // namespace
}  // namespace pgsluice::engine
