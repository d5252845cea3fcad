// Goal: a batch's timeouts keep promise P3: the application is never the deadlock's victim, and waits no
// longer than told.

#include <gtest/gtest.h>

#include "lanes/batch/batch.hpp"

namespace pgsluice::engine {
namespace {

using namespace std::chrono_literals;

TEST(BatchLimits, AreFiveTargetsWithDefaults) {
  const auto limits = batch_limits(100ms, 200ms, 1s);
  EXPECT_EQ(limits.statement_timeout, 500ms);
  EXPECT_EQ(limits.lock_timeout, 150ms);
  EXPECT_FALSE(limits.is_synchronous);
}

TEST(BatchLimits, StayBelowTheDeadlockTimeoutWhateverTheTarget) {
  for (const auto target : {1ms, 50ms, 100ms, 500ms, 5'000ms}) {
    for (const auto deadlock : {300ms, 1'000ms, 5'000ms}) {
      const auto limits = batch_limits(target, 200ms, deadlock);
      EXPECT_LE(limits.statement_timeout + limits.lock_timeout, deadlock * 8 / 10)
          << target.count() << " " << deadlock.count();
    }
  }
}

TEST(BatchLimits, ShareTheRoomAmongTheStatementsOfABatch) {
  for (const auto deadlock : {400ms, 1'000ms, 5'000ms}) {
    const auto limits = batch_limits(500ms, 200ms, deadlock, 2);
    EXPECT_LE(2 * limits.statement_timeout + limits.lock_timeout, deadlock * 8 / 10) << deadlock.count();
  }
}

TEST(BatchLimits, WaitForALockNoLongerThanOthersMayWaitForUs) {
  EXPECT_EQ(batch_limits(100ms, 40ms, 1s).lock_timeout, 40ms);
}

TEST(BatchTarget, IsWhatTheDeadlockTimeoutLeavesRoomFor) {
  BatchLimits limits;
  limits.target = 100ms;
  EXPECT_EQ(within_deadlock_timeout(limits, 200ms, 1s), limits) << "the default fits";
  limits.target = 5s;
  EXPECT_EQ(within_deadlock_timeout(limits, 200ms, 1s).target, 325ms);
  EXPECT_EQ(within_deadlock_timeout(limits, 200ms, 100s).target, 5s);
}

}  // namespace
}  // namespace pgsluice::engine
