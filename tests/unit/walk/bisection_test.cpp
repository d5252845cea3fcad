// Goal: the rows that cannot be changed are found, each alone, and every other row is changed. Method: a
// simulated range with faulty rows at chosen places, walked the way a lane does.
#include "walk/batch_size/bisection.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

namespace pgsluice::walk {
namespace {

struct Walked {
  std::set<std::int64_t> set_aside;
  std::int64_t changed = 0;
  int batches = 0;
};

// Walks rows 0 … count-1 in batches of `size`, setting faulty rows aside.
Walked walk(std::int64_t count, std::int64_t size, const std::set<std::int64_t>& faulty) {
  Walked walked;
  Bisection bisection;
  for (std::int64_t position = 0; position < count; ++walked.batches) {
    const std::int64_t asked = bisection.rows(size);
    const std::int64_t end = std::min(position + asked, count);
    const auto first_fault = faulty.lower_bound(position);
    if (first_fault == faulty.end() || *first_fault >= end) {
      bisection.on_committed(end - position);
      walked.changed += end - position;
      position = end;
    } else if (bisection.on_fault(asked) == Bisection::Verdict::kSingleRow) {
      bisection.on_set_aside();
      walked.set_aside.insert(position++);
    }
  }
  return walked;
}

TEST(Bisection, LeavesTheSizeAloneWhileNothingIsWrong) {
  Bisection bisection;
  EXPECT_FALSE(bisection.is_searching());
  EXPECT_EQ(bisection.rows(700), 700);
  bisection.on_committed(700);
  EXPECT_EQ(bisection.rows(700), 700);
}

TEST(Bisection, HalvesWithEveryFaultDownToOneRow) {
  Bisection bisection;
  EXPECT_EQ(bisection.on_fault(8), Bisection::Verdict::kSmaller);
  EXPECT_EQ(bisection.rows(1'000), 4);
  EXPECT_EQ(bisection.on_fault(4), Bisection::Verdict::kSmaller);
  EXPECT_EQ(bisection.rows(1'000), 2);
  EXPECT_EQ(bisection.on_fault(2), Bisection::Verdict::kSmaller);
  EXPECT_EQ(bisection.rows(1'000), 1);
  EXPECT_EQ(bisection.on_fault(1), Bisection::Verdict::kSingleRow);
}

TEST(Bisection, GoesBackToTheSizeBeforeOnceTheRowIsSetAside) {
  Bisection bisection;
  bisection.on_fault(1);
  bisection.on_set_aside();
  EXPECT_EQ(bisection.rows(1'000), 1'000);
}

TEST(Bisection, StaysAtASingleRowThatIsRetriedUntilItCommits) {
  Bisection bisection;
  for (int i = 0; i < kRetriesMax; ++i) {
    EXPECT_EQ(bisection.on_fault(1), Bisection::Verdict::kSingleRow);
    EXPECT_EQ(bisection.rows(1'000), 1);
  }
  bisection.on_committed(1);
  EXPECT_EQ(bisection.rows(1'000), 1'000);
}

TEST(Bisection, EndsWhenTheFaultWentAwayByItself) {
  Bisection bisection;
  bisection.on_fault(8);
  bisection.on_committed(4);
  EXPECT_EQ(bisection.rows(1'000), 2);
  bisection.on_committed(4);
  EXPECT_FALSE(bisection.is_searching());
}

TEST(Bisection, NeverTakesMoreThanTheSizerAllows) {
  Bisection bisection;
  bisection.on_fault(50'000);
  EXPECT_EQ(bisection.rows(100), 100);
}

TEST(Bisection, FindsAFaultyRowWhereverItIs) {
  for (std::int64_t size = 1; size <= 17; ++size) {
    for (std::int64_t fault = 0; fault < 40; ++fault) {
      const Walked walked = walk(40, size, {fault});
      EXPECT_EQ(walked.set_aside, std::set<std::int64_t>{fault}) << size;
      EXPECT_EQ(walked.changed, 39) << size;
    }
  }
}

TEST(Bisection, FindsOneRowAmongManyInLogarithmicallyManyBatches) {
  for (const std::int64_t fault : {0, 1, 4'999, 5'000, 9'999}) {
    EXPECT_LE(walk(10'000, 10'000, {fault}).batches, 2 * 14 + 2) << fault;
  }
}

TEST(Bisection, SetsAsideExactlyTheFaultyRowsOfAnyRange) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  for (int round = 0; round < 200; ++round) {
    const std::int64_t count = std::uniform_int_distribution<std::int64_t>(1, 500)(random);
    const std::int64_t size = std::uniform_int_distribution<std::int64_t>(1, 200)(random);
    std::set<std::int64_t> faulty;
    for (int i = std::uniform_int_distribution<int>(0, 12)(random); i > 0; --i) {
      faulty.insert(std::uniform_int_distribution<std::int64_t>(0, count - 1)(random));
    }
    const Walked walked = walk(count, size, faulty);
    ASSERT_EQ(walked.set_aside, faulty);
    ASSERT_EQ(walked.changed, count - static_cast<std::int64_t>(faulty.size()));
  }
}

}  // namespace
}  // namespace pgsluice::walk
