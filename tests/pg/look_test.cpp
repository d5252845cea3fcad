// The look for rows left behind, piece by piece: what it sees of rows that move meanwhile, and when it gives
// up.
#include "lanes/ranges/look.hpp"

#include <gtest/gtest.h>

#include <future>

#include "support/db.hpp"
#include "support/shared_server.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

constexpr std::chrono::milliseconds kTarget{50};

/// 345 pages, all rows done but the last one, and room on the first page.
constexpr const char* kTable = R"sql(
CREATE TABLE t (id int PRIMARY KEY, filler text NOT NULL, done boolean);
INSERT INTO t SELECT i, repeat('x', 100), CASE WHEN i < 20000 THEN true END FROM generate_series(1, 20000) i;
DELETE FROM t WHERE id <= 20;
)sql";

class LookTest : public ::testing::Test {
 protected:
  LookTest() : dsn_(fresh_database()), db_(dsn_), session_(pg::ConnectionTarget(dsn_), "pgsluice test") {
    db_.exec(kTable);
    db_.exec("VACUUM (ANALYZE, INDEX_CLEANUP ON) t");  // or the room on the first page is not noted
    BackfillStep step;
    step.name = "fill";
    step.table = {"", "t"};
    step.set = {{"done", "true"}};
    step.where = "done IS NULL";
    step.walk = Walk::kBlocks;
    step_ = engine::prepare_backfill(session_, step, 1, 1);
  }

  engine::RowsLeft finish(engine::Look& look) {
    while (!look.is_over()) look.read(session_, kTarget);
    pg::rollback(session_);
    return look.result();
  }

  std::string dsn_;
  Db db_;
  pg::Session session_;
  engine::PreparedBackfill step_;
};

TEST_F(LookTest, SeesARowThatMovesBehindItWhileItReads) {
  engine::Look look(step_);
  look.begin(session_);
  look.read(session_, kTarget);
  ASSERT_FALSE(look.is_over()) << "one piece is not the whole table";
  db_.exec("UPDATE t SET filler = repeat('y', 1700) WHERE id = 20000");
  ASSERT_EQ(db_.number("SELECT (ctid::text::point)[0]::int FROM t WHERE id = 20000"), 0)
      << "it has not moved";
  const auto left = finish(look);
  ASSERT_EQ(left.rows, 1);
  EXPECT_EQ(left.alone.at(0).upper, (pg::Key{"20000"}));
  EXPECT_EQ(left.alone.at(0).lower, (pg::Key{"19999"}));
}

TEST_F(LookTest, ReadsOnToTheEndOfATableThatIsComplete) {
  db_.exec("UPDATE t SET done = true WHERE done IS NULL");
  engine::Look look(step_);
  look.begin(session_);
  EXPECT_EQ(finish(look).rows, 0);
}

TEST_F(LookTest, EndsAsSoonAsMoreAreLeftThanAreChangedOneByOne) {
  db_.exec("TRUNCATE t; INSERT INTO t SELECT i, repeat('x', 100) FROM generate_series(1, 20000) i");
  engine::Look look(step_);
  look.begin(session_);
  look.read(session_, kTarget);
  EXPECT_TRUE(look.is_over());
  EXPECT_GT(finish(look).rows, engine::RowsLeft::kAloneMost);
}

TEST_F(LookTest, NeedsNoKeyToSayWhetherARowIsLeft) {
  step_.keyset.reset();
  engine::Look look(step_);
  look.begin(session_);
  EXPECT_EQ(finish(look).rows, 1);
}

TEST_F(LookTest, IsBrokenOnAnotherSessionWhoseSnapshotIsAnother) {
  engine::Look look(step_);
  look.begin(session_);
  pg::Session other(pg::ConnectionTarget(dsn_), "pgsluice test");
  look.read(other, kTarget);
  EXPECT_TRUE(look.is_broken());
  EXPECT_FALSE(look.is_over());
}

TEST_F(LookTest, NoticesBetweenPiecesThatSomebodyWaitsForTheTable) {
  db_.exec("INSERT INTO t SELECT i, repeat('x', 100), true FROM generate_series(20001, 300000) i");
  engine::Look look(step_);
  look.begin(session_);
  look.read(session_, std::chrono::milliseconds{1});
  EXPECT_FALSE(look.is_awaited());
  auto waits = std::async(std::launch::async, [&] {
    Db other(dsn_);
    other.exec("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE; COMMIT");
  });
  wait_for(
      [&] {
        session_.exec("SELECT 1");  // or the server would end what idles in its transaction
        return db_.yes("SELECT EXISTS (SELECT FROM pg_locks WHERE waitstart < now() - '0.25 s'::interval)");
      },
      "somebody to wait for the table for longer than it is not asked");
  look.read(session_, std::chrono::milliseconds{1});
  EXPECT_FALSE(look.is_over());
  EXPECT_TRUE(look.is_awaited());
  pg::rollback(session_);
  waits.get();
}

}  // namespace
}  // namespace pgsluice::test
