// Proves P1 and P2 on the batch itself: rows and position move together, and only for the one who owns the
// range.
#include <gtest/gtest.h>

#include <future>

#include "lanes/batch/batch.hpp"
#include "ledger/runs.hpp"
#include "pg/counted_range.hpp"
#include "support/shared_server.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

class BatchTest : public ::testing::Test {
 protected:
  void expect_committed(const engine::BatchOutcome& outcome) {
    EXPECT_EQ(outcome.disposition, pg::Disposition::kCommitted) << outcome.sqlstate << " " << outcome.message;
    EXPECT_FALSE(outcome.is_fenced);
  }

  /// Fenced, and neither row nor position moved; the session goes on.
  void expect_fenced(const engine::BatchOutcome& outcome) {
    EXPECT_TRUE(outcome.is_fenced) << outcome.message;
    EXPECT_EQ(outcome.disposition, pg::Disposition::kRetryable);
    EXPECT_EQ(outcome.changed, 0);
    EXPECT_FALSE(session_->must_discard());
    EXPECT_EQ(session_->exec("SELECT 1").integer(0, 0), 1);
  }

  bool waits_for_a_lock(const pg::Session& session) {
    return trial_.db().number(
               "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND pid = " +
               std::to_string(session.backend_pid())) == 1;
  }

  CountedRange trial_{fresh_database()};
  std::unique_ptr<pg::Session> session_ = trial_.open();
  std::string run_id_ = trial_.begin_run(*session_);
  ledger::Range range_ = trial_.lease(*session_, run_id_);
};

TEST_F(BatchTest, CommitsItsRowsAndItsPositionTogether) {
  const auto outcome = engine::run_batch(*session_, trial_.work(range_));
  expect_committed(outcome);
  EXPECT_EQ(outcome.visited, 100);
  EXPECT_EQ(outcome.changed, 100);
  EXPECT_EQ(trial_.position(), 100);
  EXPECT_EQ(trial_.db().number("SELECT sum(n) FROM counted WHERE id <= 100"), 100);
  EXPECT_EQ(trial_.counts(), "0: 900, 1: 100, more: 0");
}

TEST_F(BatchTest, LeavesRowsAndPositionWhenOneRowFails) {
  trial_.db().exec("ALTER TABLE counted ADD CHECK (id <> 60 OR n = 0)");
  const auto outcome = engine::run_batch(*session_, trial_.work(range_));
  EXPECT_EQ(outcome.disposition, pg::Disposition::kFatal);
  EXPECT_EQ(outcome.sqlstate, "23514");
  EXPECT_EQ(trial_.position(), 0);
  EXPECT_EQ(trial_.counts(), kUntouched);
}

TEST_F(BatchTest, FinishesTheRangeWithItsLastRow) {
  EXPECT_TRUE(trial_.finish(*session_, range_));
  EXPECT_EQ(trial_.counts(), kEachOnce);
  EXPECT_EQ(trial_.db().number("SELECT rows_visited FROM pgsluice.range"), CountedRange::kRows);
  expect_fenced(engine::run_batch(*session_, trial_.work(range_)));
}

TEST_F(BatchTest, IsFencedWhenTheEpochRose) {
  ASSERT_TRUE(ledger::lease_again(*session_, range_.token));
  expect_fenced(engine::run_batch(*session_, trial_.work(range_)));
  EXPECT_EQ(trial_.counts(), kUntouched);
}

TEST_F(BatchTest, IsFencedWhenAnotherRunOwnsTheRangeUnderTheSameEpoch) {
  const auto other = trial_.begin_run(*session_);
  trial_.db().exec("UPDATE pgsluice.range SET run_id = '" + other + "'");
  expect_fenced(engine::run_batch(*session_, trial_.work(range_)));
  EXPECT_EQ(trial_.counts(), kUntouched);
}

TEST_F(BatchTest, IsFencedWhenThePositionIsNotTheOneItBelieves) {
  expect_committed(engine::run_batch(*session_, trial_.work(range_)));
  expect_fenced(engine::run_batch(*session_, trial_.work(range_)));
  range_.position = pg::Key{"250"};
  expect_fenced(engine::run_batch(*session_, trial_.work(range_)));
  EXPECT_EQ(trial_.counts(), "0: 900, 1: 100, more: 0");
}

TEST_F(BatchTest, IsFencedWhenTheRangeWasShortened) {
  trial_.db().exec("UPDATE pgsluice.range SET upper = '{50}'");
  expect_fenced(engine::run_batch(*session_, trial_.work(range_)));
  EXPECT_EQ(trial_.counts(), kUntouched);
}

TEST_F(BatchTest, IsFencedWhenTheRangeWasGivenBack) {
  ledger::release(*session_, range_.token);
  expect_fenced(engine::run_batch(*session_, trial_.work(range_)));
}

TEST_F(BatchTest, IsFencedByASplitAndThenDoublesNothing) {
  expect_committed(engine::run_batch(*session_, trial_.work(range_)));
  range_.position = pg::Key{"100"};
  const auto other = trial_.open();
  ASSERT_TRUE(trial_.split_at(*other, 550));
  expect_fenced(engine::run_batch(*session_, trial_.work(range_)));
  auto again = ledger::lease_again(*session_, range_.token);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->upper, pg::Key{"550"});
  EXPECT_TRUE(trial_.finish(*session_, *again));
  EXPECT_EQ(trial_.counts(), "0: 450, 1: 550, more: 0");
  EXPECT_TRUE(trial_.finish(*other, trial_.lease(*other, run_id_)));
  EXPECT_EQ(trial_.counts(), kEachOnce);
}

// The batch has moved the position and stands before a locked row when the split comes.
TEST_F(BatchTest, MakesASplitBesideItWaitAndBothDoTheirPartOnce) {
  Db holder(trial_.dsn());
  holder.exec("BEGIN; SELECT * FROM counted WHERE id = 70 FOR UPDATE");
  auto batch =
      std::async(std::launch::async, [&] { return engine::run_batch(*session_, trial_.work(range_)); });
  wait_for([&] { return waits_for_a_lock(*session_); }, "the batch to wait for the row");
  const auto other = trial_.open();
  auto split = std::async(std::launch::async, [&] { return trial_.split_at(*other, 400); });
  wait_for([&] { return waits_for_a_lock(*other); }, "the split to wait for the batch");
  holder.exec("COMMIT");
  const auto outcome = batch.get();
  expect_committed(outcome);
  ASSERT_TRUE(split.get());
  range_.position = outcome.position;
  expect_fenced(engine::run_batch(*session_, trial_.work(range_)));
  trial_.finish_all();
  EXPECT_EQ(trial_.counts(), kEachOnce);
}

TEST_F(BatchTest, IsNotCutWhereItHasAlreadyBeen) {
  const auto other = trial_.open();
  const auto candidate_epoch = range_.token.epoch;
  expect_committed(engine::run_batch(*session_, trial_.work(range_, 500)));
  EXPECT_FALSE(trial_.split_at(*other, 400));
  EXPECT_FALSE(trial_.split_at(*other, 500));
  EXPECT_EQ(trial_.db().number("SELECT epoch FROM pgsluice.range"), candidate_epoch);
  range_.position = pg::Key{"500"};
  EXPECT_TRUE(trial_.finish(*session_, range_));
  EXPECT_EQ(trial_.counts(), kEachOnce);
}

TEST_F(BatchTest, SetsARowAsideOnlyIfItIsStillTheNextOne) {
  trial_.db().exec("DELETE FROM counted WHERE id = 1");
  auto work = trial_.work(range_, 1);
  work.set_aside = engine::SetAside{{"1"}, "23514", "no"};
  const auto outcome = engine::run_batch(*session_, work);
  expect_committed(outcome);
  EXPECT_EQ(outcome.quarantined, 0);
  EXPECT_EQ(trial_.db().text("SELECT min(id) FILTER (WHERE n = 1) FROM counted"), "2");
}

TEST_F(BatchTest, LeavesNoSettingBehindOnItsConnection) {
  const std::string ask =
      "SELECT string_agg(name || '=' || setting, ',' ORDER BY name) FROM pg_settings WHERE source = "
      "'session'";
  expect_committed(engine::run_batch(*session_, trial_.work(range_)));
  EXPECT_TRUE(session_->exec(ask).is_null(0, 0)) << session_->exec(ask).text(0, 0);
}

TEST(BatchLimits, StayBelowTheDeadlockTimeoutWithBothStatementsTogether) {
  using std::chrono::milliseconds;
  for (const int deadlock_timeout : {200, 1'000, 5'000}) {
    for (const int target : {10, 100, 2'000}) {
      const auto limits =
          engine::batch_limits(milliseconds{target}, milliseconds{200}, milliseconds{deadlock_timeout});
      EXPECT_LE(limits.statement_timeout.count() + limits.lock_timeout.count(),
                8 * deadlock_timeout / 10 + 50);
      EXPECT_LE(limits.lock_timeout.count(), 150);
      EXPECT_FALSE(limits.is_synchronous);
    }
  }
}

}  // namespace
}  // namespace pgsluice::test
