// Goal: whoever is woken reads who holds the lock, and no data of theirs.

#include "lanes/throttle/blockers.hpp"

#include <gtest/gtest.h>

namespace pgsluice::engine {
namespace {

using std::chrono::seconds;

constexpr auto kNow = Blockers::TimePoint{seconds{100}};

pg::Blocker blocker() {
  return {"pgsluice 3f2a9c1e lane 7",         false, 4711, "app", "psql", "idle in transaction",
          "UPDATE users SET name = 'secret'", 12.4};
}

TEST(Blockers, NamesTheSessionWithoutItsData) {
  EXPECT_EQ(in_words(blocker()),
            "pid 4711 (app, psql, idle in transaction, UPDATE users SET), in a transaction for 12.0 s");
}

TEST(Blockers, SaysWhatARoleWithoutRightsMaySee) {
  EXPECT_EQ(in_words({"pgsluice 3f2a9c1e lane 7", false, 4711, "", "", "", "", 0}), "pid 4711");
}

TEST(Blockers, NamesAPreparedTransaction) {
  EXPECT_EQ(in_words({"pgsluice 3f2a9c1e lane 7", false, 0, "", "", "", "", 0}),
            "a prepared transaction (see pg_prepared_xacts)");
}

TEST(Blockers, AreThoseOfTheBatchThatWaited) {
  Blockers blockers;
  blockers.seen({blocker()}, kNow);
  EXPECT_TRUE(blockers.of(7, kNow - seconds{1}));
  EXPECT_FALSE(blockers.of(7, kNow + seconds{1})) << "an earlier batch's";
  EXPECT_FALSE(blockers.of(1, kNow)) << "another lane's";
}

TEST(Blockers, CountFromTheFirstLockTimeoutAfterACommit) {
  Blockers blockers;
  EXPECT_FALSE(blockers.since());
  blockers.gave_up("row (1)", kNow);
  blockers.gave_up("row (2)", kNow + seconds{5});
  EXPECT_EQ(blockers.since(), kNow);
  EXPECT_EQ(blockers.reason(), "row (2)");
  blockers.clear();
  EXPECT_FALSE(blockers.since());
}

}  // namespace
}  // namespace pgsluice::engine
