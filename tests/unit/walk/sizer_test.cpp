// Goal: batches meet their target, grow gently, shrink at once, give way, and keep their bounds. Method:
// tables at the edges, and simulated tables whose rows have a known price.
#include "walk/batch_size/sizer.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace pgsluice::walk {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// 1,000 rows, target 100 ms, 50 to 50,000.
Sizer sizer() {
  return Sizer(BatchLimits{});
}

std::optional<Tune> record_full(Sizer& sizer, milliseconds took) {
  return sizer.record(sizer.rows(), sizer.rows(), took);
}

std::optional<Tune> record_full_times(Sizer& sizer, int batches, milliseconds took) {
  const std::int64_t rows = sizer.rows();
  std::optional<Tune> tune;
  for (int i = 0; i < batches && !tune; ++i) tune = sizer.record(rows, rows, took);
  return tune;
}

TEST(Sizer, StartsWithTheRowsOfTheJobWithinItsBounds) {
  EXPECT_EQ(sizer().rows(), 1'000);
  EXPECT_EQ(Sizer({.rows = 10, .rows_min = 50}).rows(), 50);
  EXPECT_EQ(Sizer({.rows = 99'999, .rows_max = 500}).rows(), 500);
}

TEST(Sizer, GrowsAtMostOneAndAHalfTimes) {
  Sizer s = sizer();
  EXPECT_EQ(record_full_times(s, 3, milliseconds{1})->to, 1'500);
  EXPECT_EQ(record_full_times(s, 3, milliseconds{1})->to, 2'250);
}

TEST(Sizer, GrowsAfterOneBatchThatTookAThirdOfTheTarget) {
  Sizer s = sizer();
  EXPECT_EQ(record_full(s, milliseconds{33})->to, 1'500);
  Sizer other = sizer();
  EXPECT_FALSE(record_full(other, milliseconds{34}));
}

TEST(Sizer, MovesInProportionOnceThreeBatchesAgree) {
  struct Case {
    int took_ms;
    std::int64_t rows;
  };
  for (const auto& [took_ms, rows] : {Case{80, 1'250}, {50, 1'500}, {200, 500}, {125, 800}, {299, 334}}) {
    Sizer s = sizer();
    EXPECT_FALSE(record_full_times(s, 2, milliseconds{took_ms})) << took_ms;
    const auto tune = record_full(s, milliseconds{took_ms});
    ASSERT_TRUE(tune) << took_ms;
    EXPECT_EQ(tune->from, 1'000);
    EXPECT_EQ(tune->to, rows) << took_ms;
    EXPECT_EQ(tune->to, s.rows());
  }
}

TEST(Sizer, StaysWithinTenPerCentOfTheTarget) {
  for (const int took_ms : {90, 100, 110}) {
    Sizer s = sizer();
    EXPECT_FALSE(record_full_times(s, 50, milliseconds{took_ms})) << took_ms;
  }
  Sizer below = sizer();
  EXPECT_TRUE(record_full_times(below, 3, milliseconds{89}));
  Sizer above = sizer();
  EXPECT_TRUE(record_full_times(above, 3, milliseconds{111}));
}

TEST(Sizer, DoesNotMoveForOneExceptionAmongGoodBatches) {
  Sizer s = sizer();
  record_full_times(s, 4, milliseconds{100});
  EXPECT_FALSE(record_full(s, milliseconds{290}));
  EXPECT_FALSE(record_full(s, milliseconds{5}));
}

TEST(Sizer, DoesNotShrinkBecauseTheSecondBatchWasShort) {
  Sizer s = sizer();
  record_full(s, milliseconds{250});
  EXPECT_FALSE(record_full(s, milliseconds{30}));
}

TEST(Sizer, CutsAtOnceWhenOneBatchTakesThreeTimesTheTarget) {
  Sizer s = sizer();
  const auto tune = record_full(s, milliseconds{300});
  ASSERT_TRUE(tune);
  EXPECT_EQ(tune->to, 333);
  EXPECT_NE(tune->cause.find("300 ms"), std::string::npos) << tune->cause;
  EXPECT_NE(tune->cause.find("100 ms"), std::string::npos) << tune->cause;
}

TEST(Sizer, IgnoresBatchesOfAnotherSize) {
  struct Case {
    std::int64_t rows;
    bool counts;
  };
  for (const auto& [rows, counts] :
       {Case{899, false}, {900, true}, {1'100, true}, {1'101, false}, {1, false}}) {
    Sizer s = sizer();
    EXPECT_EQ(s.record(rows, rows, milliseconds{500}).has_value(), counts) << rows;
  }
}

TEST(Sizer, CutsOnceForAllBatchesThatWereOnTheirWay) {
  Sizer s = sizer();
  EXPECT_TRUE(s.record(1'000, 1'000, milliseconds{400}));
  EXPECT_FALSE(s.record(1'000, 1'000, milliseconds{400}));
  EXPECT_EQ(s.rows(), 250);
}

TEST(Sizer, LearnsNothingFromTheLastBatchOfARange) {
  Sizer s = sizer();
  for (int i = 0; i < 50; ++i) EXPECT_FALSE(s.record(1'000, 999, milliseconds{1}));
  for (int i = 0; i < 50; ++i) EXPECT_FALSE(s.record(1'000, 10, milliseconds{299}));
}

TEST(Sizer, HalvesForALastBatchThatTookFarTooLong) {
  Sizer s = sizer();
  EXPECT_EQ(s.record(1'000, 1, milliseconds{2'000})->to, 500);
}

TEST(Sizer, KeepsItsBounds) {
  Sizer s({.rows = 100, .rows_min = 60, .rows_max = 120});
  EXPECT_EQ(record_full(s, milliseconds{1})->to, 120);
  EXPECT_FALSE(record_full_times(s, 9, milliseconds{1})) << "no Tune when nothing changed";
  EXPECT_EQ(record_full(s, milliseconds{9'000})->to, 60);
  EXPECT_FALSE(record_full_times(s, 9, milliseconds{9'000}));
  EXPECT_FALSE(s.shrink_after_timeout(60));
}

TEST(Sizer, GrowsFromASingleRow) {
  Sizer s({.rows = 1, .rows_min = 1});
  EXPECT_EQ(record_full(s, milliseconds{1})->to, 2);
  EXPECT_EQ(record_full(s, milliseconds{1})->to, 3);
  EXPECT_EQ(record_full(s, milliseconds{1})->to, 4);
}

TEST(Sizer, DoesNotOutgrowRowsThatAllChangeWhereFewDo) {
  Sizer s = sizer();
  s.note_changed(1'000, 1'000, milliseconds{100});  // a row that changes: 0.1 ms
  for (int i = 0; i < 50; ++i) {
    s.note_changed(s.rows(), 10, milliseconds{5});
    record_full(s, milliseconds{5});
  }
  EXPECT_EQ(s.rows(), 2'000) << "all of them changed would take two targets";
  EXPECT_EQ(record_full(s, milliseconds{400})->to, 500);
}

TEST(Sizer, ShrinksAtOnceWhenItLearnsWhatRowsThatChangeTake) {
  Sizer s({.rows = 20'000});
  EXPECT_EQ(s.note_changed(100, 100, milliseconds{50})->to, 400);
  EXPECT_FALSE(s.note_changed(100, 100, milliseconds{60})) << "near enough";
}

TEST(Sizer, KnowsNoPriceOfRowsWhereFewChange) {
  Sizer s = sizer();
  s.note_changed(1'000, 100, milliseconds{100});
  for (int i = 0; i < 50; ++i) record_full(s, milliseconds{5});
  EXPECT_EQ(s.rows(), 50'000);
}

TEST(Sizer, DividesByFiveAfterATimeoutOnceForAllLanes) {
  Sizer s = sizer();
  EXPECT_EQ(s.shrink_after_timeout(1'000)->to, 200);
  EXPECT_FALSE(s.shrink_after_timeout(1'000));
  EXPECT_EQ(s.shrink_after_timeout(200)->to, 50);
}

TEST(Sizer, DoesNotGrowForTwentyBatchesAfterGivingWay) {
  Sizer s = sizer();
  EXPECT_EQ(s.yield_to_waiter(1'000)->to, 500);
  for (int i = 1; i < Sizer::kBatchesUntilGrowth; ++i) ASSERT_FALSE(record_full(s, milliseconds{10})) << i;
  EXPECT_EQ(record_full(s, milliseconds{10})->to, 750);
}

TEST(Sizer, StillShrinksAfterGivingWay) {
  Sizer s = sizer();
  s.yield_to_waiter(1'000);
  EXPECT_EQ(record_full_times(s, 3, milliseconds{200})->to, 250);
}

TEST(Sizer, StartsCountingAnewWheneverItGivesWay) {
  Sizer s = sizer();
  s.yield_to_waiter(1'000);
  for (int i = 0; i < 19; ++i) record_full(s, milliseconds{10});
  EXPECT_FALSE(s.yield_to_waiter(1'000)) << "halved for this size already";
  for (int i = 0; i < 19; ++i) ASSERT_FALSE(record_full(s, milliseconds{10}));
  EXPECT_TRUE(record_full(s, milliseconds{10}));
}

TEST(Sizer, LetsNoBatchBeCancelledAtItsSmallestSize) {
  const Sizer s = sizer();
  EXPECT_TRUE(s.may_be_cancelled(51));
  EXPECT_FALSE(s.may_be_cancelled(50));
  EXPECT_FALSE(s.may_be_cancelled(1));
}

TEST(Sizer, FollowsASmallerTargetAtOnceAndGrowsIntoALargerOne) {
  Sizer s = sizer();
  EXPECT_EQ(s.retarget({.target = milliseconds{25}})->to, 250);
  EXPECT_FALSE(s.retarget({.target = milliseconds{1'000}}));
  EXPECT_EQ(record_full_times(s, 3, milliseconds{500})->to, 375);
}

TEST(Sizer, TakesNewRowsAndBoundsAsTheyAreSet) {
  Sizer s = sizer();
  EXPECT_EQ(s.retarget({.rows = 2'000})->to, 2'000);
  EXPECT_EQ(s.retarget({.rows = 2'000, .rows_max = 700})->to, 700);
  EXPECT_FALSE(s.retarget({.rows = 2'000, .rows_max = 700}));
}

TEST(Sizer, DoesNoHarmWithLimitsThatContradictEachOther) {
  Sizer s({.rows = 10, .target = milliseconds{0}, .rows_min = 0, .rows_max = -5});
  EXPECT_EQ(s.rows(), 1);
  EXPECT_FALSE(record_full(s, milliseconds{0}));
}

// Server time of a batch: a fixed price plus a price for each row, with some noise.
struct Table {
  double fixed_us;
  double row_us;
  double noise;
};

microseconds price(const Table& table, std::int64_t rows, std::mt19937& random) {
  std::normal_distribution<double> noise(1, table.noise);
  const double us = table.fixed_us + table.row_us * static_cast<double>(rows);
  return microseconds{std::llround(us * std::max(noise(random), 0.2))};
}

TEST(Sizer, MeetsItsTargetOnAnyTableAndStaysThere) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (const Table& table : {Table{1'500, 10, 0.1}, {1'500, 4, 0.2}, {20'000, 10, 0.1}, {1'500, 500, 0.1}}) {
    Sizer s = sizer();
    int in_reach = 0;
    constexpr int kWarmUp = 60;
    constexpr int kMeasured = 300;
    for (int i = 0; i < kWarmUp + kMeasured; ++i) {
      s.record(s.rows(), s.rows(), price(table, s.rows(), random));
      const double typical_us = table.fixed_us + table.row_us * static_cast<double>(s.rows());
      if (i >= kWarmUp && typical_us > 70'000 && typical_us < 140'000) ++in_reach;
    }
    EXPECT_GE(in_reach, kMeasured * 9 / 10) << table.row_us << " us a row";
  }
}

// As beside an application on busy cores: before the size took its time it moved 300 times here.
TEST(Sizer, ComesToRestWhereBatchesVaryByHalf) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  Sizer s({.rows = 1'000, .target = milliseconds{12}});
  int moves = 0;
  for (int i = 0; i < 1'200; ++i) {
    const auto tune = s.record(s.rows(), s.rows(), price({3'500, 18, 0.5}, s.rows(), random));
    if (i >= 200 && tune) ++moves;
  }
  EXPECT_LE(moves, 60);
}

TEST(Sizer, RecoversWhenRowsGetDearAndCheapAgain) {
  std::mt19937 random(1);
  Sizer s = sizer();
  for (int i = 0; i < 60; ++i) s.record(s.rows(), s.rows(), price({1'500, 10, 0.05}, s.rows(), random));
  int too_long = 0;
  for (int i = 0; i < 60; ++i) {
    const auto took = price({1'500, 400, 0.05}, s.rows(), random);
    too_long += took > milliseconds{300} ? 1 : 0;
    s.record(s.rows(), s.rows(), took);
  }
  EXPECT_LE(too_long, 2);
  for (int i = 0; i < 60; ++i) s.record(s.rows(), s.rows(), price({1'500, 10, 0.05}, s.rows(), random));
  EXPECT_NEAR(static_cast<double>(s.rows()), 9'850, 2'500);
}

TEST(Sizer, NeverLeavesItsBoundsNorGrowsFasterWhateverHappens) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::uniform_int_distribution<int> ms(0, 400);
  std::uniform_int_distribution<int> what(0, 40);
  Sizer s = sizer();
  for (int i = 0; i < 20'000; ++i) {
    const std::int64_t before = s.rows();
    std::optional<Tune> tune;
    const int choice = what(random);
    if (choice == 0) {
      tune = s.yield_to_waiter(before);
    } else if (choice == 1) {
      tune = s.shrink_after_timeout(before);
    } else {
      tune = s.record(before, choice == 2 ? before - 1 : before,
                      milliseconds{choice < 20 ? ms(random) : ms(random) / 8});
    }
    ASSERT_GE(s.rows(), 50);
    ASSERT_LE(s.rows(), 50'000);
    ASSERT_LE(s.rows(), before * 3 / 2 + 1);
    ASSERT_EQ(tune.has_value(), s.rows() != before);
  }
}

}  // namespace
}  // namespace pgsluice::walk
