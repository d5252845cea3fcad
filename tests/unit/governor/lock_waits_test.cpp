// Goal: whoever waits for us is found, named without any data, and let through in time. Method: waiters as
// pg_stat_activity and pg_blocking_pids show them; lanes 1 and 2 run on backends 101 and 102.
#include "governor/signals/lock_waits.hpp"

#include <gtest/gtest.h>

namespace pgsluice::governor {
namespace {

const TimePoint kNow{std::chrono::hours{1}};
const std::map<int, int> kLanes{{101, 1}, {102, 2}};

WaiterReading waiter(double waited_s, std::vector<int> blockers) {
  return {
      4711, waited_s, false, std::move(blockers), "psql", "UPDATE users SET name = 'secret' WHERE id = 7"};
}

WaiterReading ddl(double waited_s, std::vector<int> blockers) {
  return {4712, waited_s, true, std::move(blockers), "migrate", "ALTER TABLE users ADD COLUMN x int"};
}

LockWaits judge(const std::vector<WaiterReading>& waiters) {
  return judge_lock_waits(waiters, kLanes, ThrottleLimits{}, kNow);
}

TEST(LockWaits, IsZeroWhenNobodyWaits) {
  const LockWaits result = judge({});
  EXPECT_TRUE(result.sample.known);
  EXPECT_EQ(result.sample.name, "lock_wait");
  EXPECT_EQ(result.sample.value, 0);
  EXPECT_DOUBLE_EQ(result.sample.limit, 0.2);
  EXPECT_TRUE(result.to_cancel.empty());
}

TEST(LockWaits, CancelsTheLaneThatSomebodyWaitedForLongerThanTheLimit) {
  EXPECT_TRUE(judge({waiter(0.2, {102})}).to_cancel.empty());
  const LockWaits result = judge({waiter(0.21, {102})});
  ASSERT_EQ(result.to_cancel.size(), 1U);
  EXPECT_EQ(result.to_cancel[0].lane, 2);
  EXPECT_EQ(result.to_cancel[0].reason, "pid 4711 (psql, UPDATE users SET) has waited 0.21 s for lane 2");
  EXPECT_EQ(in_words(result.sample, kNow),
            "lock_wait 0.21 s over 0.2 s while pid 4711 (psql, UPDATE users SET) waits for lane 2");
}

TEST(LockWaits, GivesWayToDdlAtOnceAndOnEveryLane) {
  const LockWaits result = judge({ddl(0.001, {101, 102})});
  ASSERT_EQ(result.to_cancel.size(), 2U);
  EXPECT_EQ(result.to_cancel[0].lane, 1);
  EXPECT_EQ(result.to_cancel[1].lane, 2);
}

TEST(LockWaits, CountsOnlyDirectBlockersThatAreOurs) {
  const LockWaits result = judge({waiter(9, {500, 0}), waiter(9, {})});
  EXPECT_EQ(result.sample.value, 0);
  EXPECT_TRUE(result.to_cancel.empty());
}

TEST(LockWaits, DoesNotTakeALaneThatWaitsForALaneForSomebodyElse) {
  WaiterReading own = waiter(9, {101});
  own.pid = 102;
  EXPECT_TRUE(judge({own}).to_cancel.empty());
}

TEST(LockWaits, MeasuresTheLongestWaitForUs) {
  const LockWaits result = judge({waiter(0.1, {101}), ddl(0.15, {101}), waiter(7, {500})});
  EXPECT_DOUBLE_EQ(result.sample.value, 0.15);
  EXPECT_EQ(result.sample.reason, "while pid 4712 (migrate, ALTER TABLE users) waits for lane 1");
}

TEST(LockWaits, NamesEachLaneOnceWithTheOneWhoWaitedLongest) {
  const LockWaits result = judge({waiter(0.3, {101, 101}), ddl(0.6, {101}), waiter(0.5, {101})});
  ASSERT_EQ(result.to_cancel.size(), 1U);
  EXPECT_EQ(result.to_cancel[0].reason, "pid 4712 (migrate, ALTER TABLE users) has waited 0.6 s for lane 1");
}

TEST(LockWaits, CountsNothingBehindAPoolerWhereBackendsAreNotOurs) {
  const LockWaits result = judge_lock_waits({waiter(9, {101})}, {}, ThrottleLimits{}, kNow);
  EXPECT_EQ(result.sample.value, 0);
  EXPECT_TRUE(result.to_cancel.empty());
}

TEST(LockWaits, NeverRepeatsDataFromAQuery) {
  struct Case {
    const char* query;
    const char* who;
  };
  for (const auto& [query, who] :
       {Case{"SELECT 'secret'", " (psql, SELECT)"},
        Case{"ALTER ROLE bob PASSWORD 'secret'", " (psql, ALTER ROLE bob)"}, Case{"'secret'", " (psql)"},
        Case{"", " (psql)"}, Case{"  \n DELETE\tFROM\r\nt", " (psql, DELETE FROM t)"},
        Case{"CALL f(42)", " (psql, CALL)"}, Case{"VALUES 4111111111111111", " (psql, VALUES)"}}) {
    WaiterReading reading = waiter(1, {101});
    reading.query = query;
    EXPECT_EQ(judge({reading}).sample.reason, "while pid 4711" + std::string(who) + " waits for lane 1")
        << query;
  }
}

}  // namespace
}  // namespace pgsluice::governor
