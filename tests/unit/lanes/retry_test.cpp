// Goal: a row that somebody has locked holds up no other row, and everything else is tried as it was.

#include "lanes/retry/retry.hpp"

#include <gtest/gtest.h>

#include "walk/batch_size/bisection.hpp"

namespace pgsluice::engine {
namespace {

RetryFacts locked(std::int64_t rows, int attempt) {
  RetryFacts facts;
  facts.is_timeout = facts.is_row_locked = true;
  facts.rows = rows;
  facts.attempt = attempt;
  return facts;
}

TEST(Retry, TriesALockedRowAFewTimesBeforeItLooksForIt) {
  EXPECT_EQ(next_try(locked(100, 1)), Retry::kAgain) << "no smaller batches: the lock is at fault";
  EXPECT_EQ(next_try(locked(100, walk::kRetriesMax)), Retry::kBisect);
  auto facts = locked(50, 1);
  facts.is_searching = true;
  EXPECT_EQ(next_try(facts), Retry::kBisect) << "found in as many batches as it takes to halve";
}

TEST(Retry, LeavesALockedRowForLater) {
  auto facts = locked(1, walk::kRetriesMax);
  EXPECT_EQ(next_try(facts), Retry::kSetApart);
  facts.may_set_apart = false;
  EXPECT_EQ(next_try(facts), Retry::kAgain) << "of many locked rows each is waited for where it is";
  facts.is_last_row = true;
  EXPECT_EQ(next_try(facts), Retry::kLater);
}

TEST(Retry, TriesARowThatWasLeftOnceAtATime) {
  auto facts = locked(1, 1);
  facts.is_put_off = true;
  EXPECT_EQ(next_try(facts), Retry::kLater);
}

TEST(Retry, HalvesAtOnceWhileItLooksForARowThatIsTooSlow) {
  RetryFacts facts;
  facts.is_timeout = true;
  facts.rows = 50;
  EXPECT_EQ(next_try(facts), Retry::kSmaller);
  facts.is_searching = true;
  EXPECT_EQ(next_try(facts), Retry::kBisect);
  facts.rows = 1;
  EXPECT_EQ(next_try(facts), Retry::kSmaller) << "the same row: how often is the lane's to count";
}

TEST(Retry, WaitsForALockedTable) {
  auto facts = locked(100, walk::kRetriesMax);
  facts.is_row_locked = false;
  facts.is_table_locked = true;
  EXPECT_EQ(next_try(facts), Retry::kAgain);
}

TEST(Retry, TakesFewerRowsAfterAStatementTimeoutAndForWhoeverWaits) {
  RetryFacts facts;
  facts.rows = 100;
  facts.is_timeout = true;
  EXPECT_EQ(next_try(facts), Retry::kSmaller);
  facts.attempt = walk::kRetriesMax;
  EXPECT_EQ(next_try(facts), Retry::kBisect);
  facts.is_yielding = true;
  EXPECT_EQ(next_try(facts), Retry::kSmaller);
}

TEST(Retry, BlamesNoRowForALostConnection) {
  RetryFacts facts;
  facts.rows = 100;
  facts.attempt = walk::kRetriesMax;
  facts.is_connection_lost = true;
  EXPECT_EQ(next_try(facts), Retry::kAgain);
}

TEST(Retry, LooksForWhatMakesADeadlockOverAndOver) {
  RetryFacts facts;
  facts.rows = 100;
  EXPECT_EQ(next_try(facts), Retry::kAgain);
  facts.attempt = walk::kRetriesMax;
  EXPECT_EQ(next_try(facts), Retry::kBisect);
}

}  // namespace
}  // namespace pgsluice::engine
