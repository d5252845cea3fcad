// Goal: the winner is the fastest that keeps its promises, and the reader learns why.
#include "bench/measure/verdict.hpp"

#include <gtest/gtest.h>

#include "unit/bench/samples.hpp"

namespace pgsluice::bench {
namespace {

const BatchLimits kLimits;  // target 100 ms

TEST(Verdict, IsTheFastestWhoseBatchesKeepTheTarget) {
  const auto v =
      judge({figures(1, 100, 10'000, 5), figures(2, 1'000, 60'000, 90), figures(4, 9'000, 90'000, 300)}, {},
            kLimits, "fill");
  EXPECT_EQ(v.winner, 1U);
  EXPECT_TRUE(contains(v.reason, "60,000 rows/s")) << v.reason;
  EXPECT_TRUE(contains(v.reason, "4 lanes, 9,000 rows reaches 90,000 rows/s, but its batch p95 is 300 ms"))
      << v.reason;
}

TEST(Verdict, SparesOthersWhereThereIsTraffic) {
  const auto v =
      judge({figures(1, 100, 10'000, 5, 5.9), figures(2, 1'000, 60'000, 90, 6.1)}, once(3), kLimits, "fill");
  EXPECT_EQ(v.winner, 0U);
  EXPECT_TRUE(contains(v.reason, "stays below 6.0 ms, twice its p99 alone")) << v.reason;
  EXPECT_TRUE(contains(v.reason, "the traffic's p99 is 6.1 ms during it")) << v.reason;
}

TEST(Verdict, NamesWhatIsHardlySlower) {
  auto best = figures(2, 1'000, 60'000, 90);
  best.wal_bytes_per_row = once(350);
  auto close = figures(1, 1'000, 58'000, 90);
  close.wal_bytes_per_row = once(120);
  const auto v = judge({best, close, figures(1, 100, 40'000, 90)}, {}, kLimits, "fill");
  EXPECT_TRUE(contains(
      v.reason, "almost as fast: keyset, 1 lane, 1,000 rows (58,000 rows/s, WAL 120 B/row against 350)"))
      << v.reason;
  EXPECT_FALSE(contains(v.reason, "40,000"));
}

TEST(Verdict, SaysWhenNoneKeepsTheTarget) {
  const auto v = judge({figures(1, 5'000, 10'000, 150)}, {}, kLimits, "fill");
  EXPECT_EQ(v.winner, std::nullopt);
  EXPECT_TRUE(contains(v.reason, "no setting's batch p95 meets batch.target")) << v.reason;
  EXPECT_TRUE(v.advice.empty());
}

TEST(Verdict, SaysWhenOthersSufferBesideAll) {
  const auto v = judge({figures(1, 100, 10'000, 5, 20)}, once(3), kLimits, "fill");
  EXPECT_EQ(v.winner, std::nullopt);
  EXPECT_TRUE(contains(v.reason, "at least twice its p99 alone")) << v.reason;
}

TEST(Verdict, DoesNotNameASettingWithoutTrials) {
  BenchFigures none;
  none.setting = {Walk::kKeyset, 1, 100};
  EXPECT_EQ(judge({none}, {}, kLimits, "fill").reason, "no setting has a trial that counts");
}

TEST(Verdict, AdviceIsTheSettingAsAJobFileWritesIt) {
  const auto v = judge({figures(2, 1'000, 60'000, 90)}, {}, kLimits, "fill");
  EXPECT_EQ(v.advice,
            "[pool]\nlanes = 2\n\n[batch]\nrows = 1000\ntarget = \"100ms\"\n\n"
            "[[step]]  # in step \"fill\"\nwalk = \"keyset\"\n");
}

TEST(Verdict, AdviceKeepsBatchesFromGrowingWhereLargerOnesWereWorse) {
  const auto v = judge({figures(2, 1'000, 60'000, 90), figures(2, 5'000, 50'000, 90)}, {}, kLimits, "fill");
  EXPECT_TRUE(contains(v.advice, "rows_max = 1000")) << v.advice;
}

TEST(Verdict, AdviceMovesTheLimitsThatTheSizeWouldBreak) {
  EXPECT_TRUE(contains(judge({figures(1, 10, 100, 5)}, {}, kLimits, "fill").advice, "rows_min = 10\n"));
  EXPECT_TRUE(
      contains(judge({figures(1, 80'000, 100, 5)}, {}, kLimits, "fill").advice, "rows_max = 80000\n"));
}

}  // namespace
}  // namespace pgsluice::bench
