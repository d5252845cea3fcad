// Proves on a real server what a session says about the ways in which a statement and a connection can end.
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <random>
#include <thread>

#include "pg/connection/session.hpp"
#include "pg/connection/transaction.hpp"
#include "support/environment.hpp"
#include "support/shared_server.hpp"
#include "support/tcp_proxy.hpp"

namespace pgsluice::test {
namespace {

using std::chrono::milliseconds;

class SessionTest : public ::testing::Test {
 protected:
  void SetUp() override {
    database_ = db_.text("SELECT current_database()");
    db_.exec(
        "CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL DEFAULT 0 CHECK (n < 1000)); INSERT INTO t "
        "VALUES (1), (2)");
  }

  std::unique_ptr<pg::Session> open(const std::string& dsn) {
    return std::make_unique<pg::Session>(pg::ConnectionTarget(dsn), "pgsluice test");
  }
  std::unique_ptr<pg::Session> open() { return open(dsn_); }

  std::int64_t sessions() {
    return db_.number(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = "
        "'pgsluice test'");
  }

  /// Ends the session's server process, and returns when it is gone.
  void terminate(const pg::Session& session) {
    EXPECT_TRUE(db_.yes("SELECT pg_terminate_backend(" + std::to_string(session.backend_pid()) + ", 30000)"));
  }

  static pg::Failure failure_of(const std::function<void()>& act) {
    try {
      act();
    } catch (const pg::Failure& f) {
      return f;
    }
    ADD_FAILURE() << "nothing failed";
    return {"", "", false};
  }

  void expect_state(const pg::Failure& f, const std::string& sqlstate, pg::Disposition disposition,
                    bool is_row_fault) {
    EXPECT_EQ(f.sqlstate(), sqlstate) << f.what();
    EXPECT_EQ(f.disposition(), disposition) << f.what();
    EXPECT_EQ(pg::is_row_fault(f.sqlstate()), is_row_fault) << f.what();
  }

  std::string dsn_ = fresh_database();
  Db db_{dsn_};
  std::string database_;
};

TEST_F(SessionTest, ReportsATerminatedBackendAsLostAndNeverReconnects) {
  const auto session = open();
  terminate(*session);
  const auto f = failure_of([&] { session->exec("SELECT 1"); });
  EXPECT_TRUE(f.is_connection_lost()) << f.sqlstate() << " " << f.what();
  EXPECT_EQ(std::string(f.what()).find("encoding"), std::string::npos) << f.what();
  EXPECT_EQ(f.disposition(), pg::Disposition::kRetryable);
  EXPECT_TRUE(session->must_discard());
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(failure_of([&] { session->exec("SELECT 1"); }).is_connection_lost());
    EXPECT_TRUE(failure_of([&] { session->exec("SELECT $1::int", {"1"}); }).is_connection_lost());
  }
  EXPECT_FALSE(pg::rollback(*session));
  EXPECT_EQ(sessions(), 0);
}

TEST_F(SessionTest, ReportsATerminationInsideATransactionAsLost) {
  const auto session = open();
  session->exec(pg::begin_sql({}));
  session->exec("UPDATE t SET n = n + 1", pg::Params{});
  terminate(*session);
  EXPECT_TRUE(
      failure_of([&] { session->exec("UPDATE t SET n = n + 1", pg::Params{}); }).is_connection_lost());
  EXPECT_EQ(db_.number("SELECT sum(n) FROM t"), 0);
}

TEST_F(SessionTest, IsInDoubtOnlyWhenTheConnectionIsLostDuringCommit) {
  TcpProxy proxy(SharedServer::get());
  for (const auto trap : {Trap::kLoseRequest, Trap::kLoseAnswer, Trap::kOrphan}) {
    const auto session = open(proxy.dsn(database_));
    session->exec(pg::begin_sql({}));
    session->exec("UPDATE t SET n = n + 1", pg::Params{});
    proxy.set_trap("COMMIT", trap);
    EXPECT_THROW(pg::commit(*session), pg::InDoubt);
    EXPECT_TRUE(session->must_discard());
  }
  // Two of the three arrived: that is what in doubt means.
  wait_for([&] { return db_.number("SELECT sum(n) FROM t") == 4; }, "the two commits that the server saw");
}

TEST_F(SessionTest, IsNotInDoubtWhenTheServerRefusesTheCommit) {
  db_.exec("ALTER TABLE t ADD other int REFERENCES t DEFERRABLE INITIALLY DEFERRED");
  const auto session = open();
  session->exec(pg::begin_sql({}));
  session->exec("UPDATE t SET other = 99", pg::Params{});
  try {
    pg::commit(*session);
    FAIL() << "committed";
  } catch (const pg::InDoubt&) {
    FAIL() << "in doubt";
  } catch (const pg::Failure& f) {
    expect_state(f, "23503", pg::Disposition::kFatal, true);
  }
}

TEST_F(SessionTest, SendsNoCancelUnlessAStatementMayBeCancelled) {
  const auto session = open();
  EXPECT_FALSE(session->cancel());
  auto sleep = std::async(std::launch::async, [&] { session->exec("SELECT pg_sleep(0.2)"); });
  wait_for(
      [&] {
        return db_.number("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND pid = " +
                          std::to_string(session->backend_pid())) == 1;
      },
      "the sleep");
  EXPECT_FALSE(session->cancel());
  EXPECT_NO_THROW(sleep.get());
  EXPECT_FALSE(session->must_discard());
}

TEST_F(SessionTest, CancelsAStatementThatMayBeCancelledAndIsNotUsedAgain) {
  const auto session = open();
  auto update = std::async(std::launch::async, [&] { session->exec_cancellable("SELECT pg_sleep(60)", {}); });
  // A cancel that comes before the statement has reached the server is lost.
  const auto is_over = [&] {
    session->cancel();
    return update.wait_for(std::chrono::seconds{0}) == std::future_status::ready;
  };
  wait_for(is_over, "the end of the statement");
  expect_state(failure_of([&] { update.get(); }), "57014", pg::Disposition::kRetryable, false);
  EXPECT_TRUE(session->must_discard());
}

// A COMMIT that takes its time, and cancels at every moment of the batch before it: none may arrive in it.
TEST_F(SessionTest, NeverCancelsACommit) {
  db_.exec(R"sql(
    CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.005); RETURN NULL; END';
    CREATE CONSTRAINT TRIGGER slow_commit AFTER UPDATE ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION dawdle())sql");
  auto random = seeded_random();
  std::uniform_int_distribution<int> microseconds(0, 12'000);
  int cancelled = 0;
  int committed = 0;
  for (int i = 0; i < 400 && (i < 60 || cancelled == 0 || committed == 0); ++i) {
    const auto session = open();
    session->exec(pg::begin_sql({}));
    std::atomic<bool> is_over{false};
    std::thread canceller([&, wait = std::chrono::microseconds(microseconds(random))] {
      std::this_thread::sleep_for(wait);
      while (!is_over) session->cancel();
    });
    bool was_cancelled = false;
    std::string at_commit;
    try {
      session->exec_cancellable(
          "UPDATE t SET n = n + 1, id = id WHERE id = 1 AND pg_sleep(0.004) IS NOT NULL", {});
    } catch (const pg::Failure& f) {
      EXPECT_EQ(f.sqlstate(), "57014");
      was_cancelled = true;
    }
    try {
      if (!was_cancelled) pg::commit(*session);
    } catch (const pg::Failure& f) {
      at_commit = f.what();
    }
    is_over = true;
    canceller.join();
    ASSERT_EQ(at_commit, "");
    ++(was_cancelled ? cancelled : committed);
  }
  EXPECT_EQ(db_.number("SELECT n FROM t WHERE id = 1"), committed);
  EXPECT_GT(cancelled, 0);
  EXPECT_GT(committed, 0);
}

TEST_F(SessionTest, KnowsADeadlockAlthoughLibpqxxGivesItNoState) {
  const auto first = open();
  const auto second = open();
  first->exec("BEGIN; UPDATE t SET n = 1 WHERE id = 1");
  second->exec("BEGIN; UPDATE t SET n = 1 WHERE id = 2");
  std::atomic<int> victims{0};
  const auto cross = [&](pg::Session& session, int id) {
    try {
      session.exec("UPDATE t SET n = 2 WHERE id = $1::int", {std::to_string(id)});
    } catch (const pg::Failure& f) {
      expect_state(f, "40P01", pg::Disposition::kRetryable, false);
      ++victims;
    }
    pg::rollback(session);
  };
  auto other = std::async(std::launch::async, [&] { cross(*first, 2); });
  cross(*second, 1);
  other.get();
  EXPECT_EQ(victims, 1);
}

TEST_F(SessionTest, KnowsASerializationFailureAlthoughLibpqxxGivesItNoState) {
  const auto session = open();
  session->exec("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT * FROM t");
  db_.exec("UPDATE t SET n = n + 1");
  expect_state(failure_of([&] { session->exec("UPDATE t SET n = n + 1"); }), "40001",
               pg::Disposition::kRetryable, false);
}

TEST_F(SessionTest, TellsALockTimeoutFromAStatementTimeout) {
  Db holder(dsn_);
  holder.exec("BEGIN; UPDATE t SET n = 5 WHERE id = 1");
  const auto session = open();
  session->exec(pg::begin_sql({milliseconds{50}, milliseconds{20'000}, true}));
  expect_state(failure_of([&] { session->exec("UPDATE t SET n = 6"); }), "55P03", pg::Disposition::kRetryable,
               false);
  EXPECT_TRUE(pg::rollback(*session)) << "a lock timeout leaves the connection as good as it was";
  session->exec(pg::begin_sql({milliseconds{0}, milliseconds{50}, true}));
  expect_state(failure_of([&] { session->exec("UPDATE t SET n = 6"); }), "57014", pg::Disposition::kRetryable,
               false);
  EXPECT_TRUE(session->must_discard());
}

TEST_F(SessionTest, IsLostWhenItIdlesInATransaction) {
  const auto session = open();
  session->exec(pg::begin_sql({}));
  session->exec("SET LOCAL idle_in_transaction_session_timeout = 50; UPDATE t SET n = n + 1");
  wait_for([&] { return sessions() == 0; }, "the server to end it");
  EXPECT_TRUE(failure_of([&] { session->exec("COMMIT"); }).is_connection_lost());
  EXPECT_EQ(db_.number("SELECT sum(n) FROM t"), 0);
}

struct FaultCase {
  std::string name;
  std::string sql;
  std::string sqlstate;
  bool is_row_fault;
};

class Fault : public SessionTest, public ::testing::WithParamInterface<FaultCase> {};

TEST_P(Fault, IsFatalAndBlamesARowOrNot) {
  const auto session = open();
  session->exec(pg::begin_sql({}));
  expect_state(failure_of([&] { session->exec(GetParam().sql); }), GetParam().sqlstate,
               pg::Disposition::kFatal, GetParam().is_row_fault);
  EXPECT_TRUE(pg::rollback(*session));
  EXPECT_EQ(session->exec("SELECT 1").integer(0, 0), 1) << "the connection stays good";
}

INSTANTIATE_TEST_SUITE_P(
    Sqlstates, Fault,
    ::testing::Values(
        FaultCase{"UniqueViolation", "INSERT INTO t VALUES (1)", "23505", true},
        FaultCase{"NotNullViolation", "UPDATE t SET n = NULL", "23502", true},
        FaultCase{"CheckViolation", "UPDATE t SET n = 1000", "23514", true},
        FaultCase{"InvalidText", "UPDATE t SET n = ('x' || id)::int", "22P02", true},
        FaultCase{"DivisionByZero", "UPDATE t SET n = 1 / n", "22012", true},
        FaultCase{"OutOfRange", "UPDATE t SET n = (id::bigint * 3000000000)::int", "22003", true},
        FaultCase{"RaisedByATrigger", "DO $$ BEGIN RAISE EXCEPTION 'no'; END $$", "P0001", true},
        FaultCase{"ScalarSubqueryWithTwoRows", "UPDATE t SET n = (SELECT id FROM t)", "21000", true},
        FaultCase{"MissingTable", "UPDATE missing SET n = 1", "42P01", false},
        FaultCase{"MissingColumn", "UPDATE t SET m = 1", "42703", false},
        FaultCase{"SyntaxError", "UPDATE t SETT n = 1", "42601", false}),
    [](const auto& fault) { return fault.param.name; });

}  // namespace
}  // namespace pgsluice::test
