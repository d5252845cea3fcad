// Proves P2 on the lease: one owner, orphan backends waited for, and positions that go backwards.
#include <gtest/gtest.h>

#include <future>

#include "lanes/batch/batch.hpp"
#include "ledger/runs.hpp"
#include "ledger/schema.hpp"
#include "pg/counted_range.hpp"
#include "support/shared_server.hpp"
#include "support/tcp_proxy.hpp"

namespace pgsluice::test {
namespace {

/// Every batch of `counted` commits only when the test lets go of advisory lock 1: an orphan that lasts as
/// long as wanted.
constexpr const char* kHeldCommit = R"sql(
CREATE FUNCTION await_leave() RETURNS trigger LANGUAGE plpgsql AS
  'BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NULL; END';
CREATE CONSTRAINT TRIGGER held_commit AFTER UPDATE ON counted DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION await_leave()
)sql";

std::int64_t rows_done(CountedRange& trial) {
  return trial.db().number("SELECT sum(n) FROM counted");
}

void await_lock_wait(CountedRange& trial, const std::string& who, const std::string& condition) {
  wait_for(
      [&] {
        return trial.db().yes(
            "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND "
            "wait_event_type = 'Lock' AND " +
            condition);
      },
      who + " to wait");
}

class LeaseTest : public ::testing::Test {
 protected:
  CountedRange trial_{fresh_database()};
  std::unique_ptr<pg::Session> session_ = trial_.open();
};

TEST_F(LeaseTest, GivesARangeToOneRunOnly) {
  const auto first = trial_.begin_run(*session_);
  const auto second = trial_.begin_run(*session_);
  trial_.lease(*session_, first);
  EXPECT_THROW(trial_.lease(*session_, second), std::logic_error);
}

TEST_F(LeaseTest, TakesARangeOverWhenItsRunEndedOrItsLeaseRanOut) {
  const auto first = trial_.begin_run(*session_);
  const auto second = trial_.begin_run(*session_);
  const auto late = trial_.lease(*session_, first);
  trial_.db().exec("UPDATE pgsluice.run SET lease_until = now() - interval '1 s' WHERE run_id = '" + first +
                   "'");
  const auto taken = trial_.lease(*session_, second);
  EXPECT_TRUE(taken.is_taken_over);
  EXPECT_GT(taken.token.epoch, late.token.epoch);
  EXPECT_TRUE(engine::run_batch(*session_, trial_.work(late)).is_fenced);
  EXPECT_FALSE(ledger::lease_again(*session_, late.token)) << "it is another's now";
  EXPECT_FALSE(ledger::fix_upper(*session_, late.token, {"5"}));
  ledger::end_run(*session_, second, "done", 0);
  EXPECT_TRUE(trial_.lease(*session_, first).is_taken_over);
}

TEST_F(LeaseTest, RevivedByALateHeartbeatStillFencesTheLateOne) {
  const auto late = trial_.begin_run(*session_);
  const auto quick = trial_.begin_run(*session_);
  const auto job_id = trial_.db().number("SELECT job_id FROM pgsluice.job");
  const auto lost = trial_.lease(*session_, late);
  trial_.db().exec("UPDATE pgsluice.run SET lease_until = now() - interval '1 s' WHERE run_id = '" + late +
                   "'");
  trial_.lease(*session_, quick);
  ledger::heartbeat(*session_, job_id, late, "", "UTC");
  EXPECT_TRUE(engine::run_batch(*session_, trial_.work(lost)).is_fenced);
  EXPECT_FALSE(ledger::lease_again(*session_, lost.token));
}

TEST_F(LeaseTest, GivesTheSameRangeAgainWhenTheAnswerWasLost) {
  const auto run_id = trial_.begin_run(*session_);
  const auto lost = trial_.lease(*session_, run_id);
  EXPECT_FALSE(ledger::lease_next(*session_, trial_.work(lost).step_id, run_id, {lost.token.range_id}));
  const auto again = ledger::lease_next(*session_, trial_.work(lost).step_id, run_id, {});
  ASSERT_TRUE(again);
  EXPECT_FALSE(again->is_taken_over);
  EXPECT_TRUE(engine::run_batch(*session_, trial_.work(lost)).is_fenced);
  EXPECT_TRUE(trial_.finish(*session_, *again));
  EXPECT_EQ(trial_.counts(), kEachOnce);
}

// Both find no ledger, and wait for the same lock to make it.
TEST(Ledger, IsInstalledOnceByRunsThatStartTogether) {
  const auto dsn = fresh_database();
  Db db(dsn);
  db.exec("BEGIN; SELECT pg_advisory_xact_lock(7034, 1)");
  const auto install = [&dsn] {
    pg::Session session(pg::ConnectionTarget(dsn), "pgsluice test");
    ledger::install(session);
  };
  auto first = std::async(std::launch::async, install);
  auto second = std::async(std::launch::async, install);
  Db other(dsn);
  wait_for(
      [&] {
        return other.number(
                   "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
                   "wait_event = 'advisory'") == 2;
      },
      "both to wait");
  db.exec("COMMIT");
  EXPECT_NO_THROW(first.get());
  EXPECT_NO_THROW(second.get());
  EXPECT_EQ(db.number("SELECT count(*) FROM pgsluice.meta"), 1);
}

/// A range whose first batch was cut off by the network on its way.
class OrphanTest : public LeaseTest {
 protected:
  /// Runs a batch through the proxy into the trap; the server goes on without us.
  void orphan_a_batch(const std::string& at) {
    range_ = trial_.lease(*session_, run_id_);
    const auto lost = trial_.open(proxy_.dsn(trial_.db().text("SELECT current_database()")));
    proxy_.set_trap(at, Trap::kOrphan);
    outcome_ = engine::run_batch(*lost, trial_.work(range_));
    EXPECT_TRUE(outcome_.is_connection_lost) << outcome_.message;
    EXPECT_EQ(proxy_.sprung(), 1);
  }

  std::future<std::optional<ledger::Range>> lease_again() {
    return std::async(std::launch::async, [&] { return ledger::lease_again(*session_, range_.token); });
  }

  TcpProxy proxy_{SharedServer::get()};
  std::string run_id_ = trial_.begin_run(*session_);
  ledger::Range range_;
  engine::BatchOutcome outcome_;
};

TEST_F(OrphanTest, ThatCommitsIsWaitedForAndItsAnswerCounts) {
  trial_.db().exec(kHeldCommit);
  Db holder(trial_.dsn());
  holder.exec("SELECT pg_advisory_lock(1)");
  orphan_a_batch("; COMMIT");
  EXPECT_EQ(outcome_.disposition, pg::Disposition::kInDoubt);
  await_lock_wait(trial_, "the orphan", "wait_event = 'advisory'");
  EXPECT_EQ(trial_.position(), 0) << "what a plain read would believe";

  auto again = lease_again();
  await_lock_wait(trial_, "the lease", "wait_event <> 'advisory'");
  holder.exec("SELECT pg_advisory_unlock(1)");
  const auto range = again.get();
  ASSERT_TRUE(range);
  EXPECT_EQ(range->position, pg::Key{"100"});
  EXPECT_EQ(rows_done(trial_), 100);
  EXPECT_TRUE(trial_.finish(*session_, *range));
  EXPECT_EQ(trial_.counts(), kEachOnce);
}

TEST_F(OrphanTest, ThatNeverGotItsCommitIsWaitedForUntilTheServerEndsIt) {
  orphan_a_batch("UPDATE \"public\".\"counted\"");
  EXPECT_EQ(outcome_.disposition, pg::Disposition::kRetryable);
  const auto range = lease_again().get();  // idle_in_transaction_session_timeout ends the orphan after 2 s
  ASSERT_TRUE(range);
  EXPECT_FALSE(range->position);
  EXPECT_EQ(rows_done(trial_), 0);
  EXPECT_TRUE(trial_.finish(*session_, *range));
  EXPECT_EQ(trial_.counts(), kEachOnce);
}

TEST_F(OrphanTest, HidesItsRangeFromOtherRunsUntilItIsOver) {
  trial_.db().exec(kHeldCommit);
  Db holder(trial_.dsn());
  holder.exec("SELECT pg_advisory_lock(1)");
  orphan_a_batch("; COMMIT");
  await_lock_wait(trial_, "the orphan", "wait_event = 'advisory'");
  ledger::end_run(*session_, run_id_, "gone", 137);
  const auto next_run = trial_.begin_run(*session_);
  EXPECT_FALSE(ledger::lease_next(*session_, trial_.work(range_).step_id, next_run, {}));
  holder.exec("SELECT pg_advisory_unlock(1)");
  wait_for([&] { return rows_done(trial_) == 100; }, "the orphan to commit");
  const auto range = trial_.lease(*session_, next_run);
  EXPECT_EQ(range.position, pg::Key{"100"});
  EXPECT_TRUE(trial_.finish(*session_, range));
  EXPECT_EQ(trial_.counts(), kEachOnce);
}

// With synchronous_commit = off a crash takes back what was committed last. Its write-out is held off by
// stopping the WAL writer; should another process have written it out first, the round proves nothing and is
// done again.
class CrashTest : public ::testing::Test {
 protected:
  static constexpr int kRoundsMax = 10;

  /// A server crash that forgets what `commit_lazily` did.
  template <class Act>
  void forget(Act commit_lazily) {
    const auto writer = static_cast<pid_t>(
        server_.connect().number("SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'"));
    ::kill(writer, SIGSTOP);
    commit_lazily();
    server_.crash_and_restart();
  }

  PrivateServer server_;
};

TEST_F(CrashTest, SendsAPositionBackTogetherWithItsRows) {
  int went_back = 0;
  for (int round = 0; round < kRoundsMax && went_back == 0; ++round) {
    const auto dsn = server_.fresh_database();
    auto trial = std::make_unique<CountedRange>(dsn);
    auto session = trial->open();
    const auto run_id = trial->begin_run(*session);
    auto range = trial->lease(*session, run_id);
    forget([&] {
      const auto outcome = engine::run_batch(*session, trial->work(range));
      ASSERT_EQ(outcome.disposition, pg::Disposition::kCommitted) << outcome.message;
      range.position = outcome.position;
    });
    session = trial->open();
    Db db(dsn);
    ASSERT_EQ(db.number("SELECT sum(n) FROM counted"),
              db.number("SELECT coalesce(position[1]::int, 0) FROM pgsluice.range"));
    if (db.number("SELECT sum(n) FROM counted") > 0) continue;
    ++went_back;
    EXPECT_TRUE(engine::run_batch(*session, trial->work(range)).is_fenced)
        << "it believes in a position that is gone";
    auto again = ledger::lease_again(*session, range.token);
    ASSERT_TRUE(again);
    EXPECT_FALSE(again->position);
    EXPECT_TRUE(trial->finish(*session, *again));
    EXPECT_EQ(db.number("SELECT count(*) FROM counted WHERE n = 1"), CountedRange::kRows);
  }
  EXPECT_GT(went_back, 0);
}

TEST_F(CrashTest, FencesAStaleOwnerByItsRunWhenTheEpochRepeats) {
  int repeated = 0;
  for (int round = 0; round < kRoundsMax && repeated == 0; ++round) {
    const auto dsn = server_.fresh_database();
    auto trial = std::make_unique<CountedRange>(dsn);
    auto session = trial->open();
    const auto stale_run = trial->begin_run(*session);
    const auto next_run = trial->begin_run(*session);
    ledger::Range stale;
    forget([&] {  // our leases commit synchronously; a failover to a late standby forgets them all the same
      session->exec("SET synchronous_commit = off");
      stale = trial->lease(*session, stale_run);
    });
    session = trial->open();
    const auto present = trial->lease(*session, next_run);
    if (present.token.epoch != stale.token.epoch) continue;
    ++repeated;
    EXPECT_EQ(present.position, stale.position);
    EXPECT_TRUE(engine::run_batch(*session, trial->work(stale)).is_fenced);
    EXPECT_FALSE(ledger::lease_again(*session, stale.token));
    EXPECT_TRUE(trial->finish(*session, present));
    EXPECT_EQ(Db(dsn).number("SELECT count(*) FROM counted WHERE n = 1"), CountedRange::kRows);
  }
  EXPECT_GT(repeated, 0);
}

}  // namespace
}  // namespace pgsluice::test
