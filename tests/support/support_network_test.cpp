// Proves that the proxy breaks connections in exactly the place it says, and that pooler and traffic are
// real.
#include <gtest/gtest.h>

#include <future>
#include <pqxx/pqxx>

#include "support/pgbench.hpp"
#include "support/pgbouncer.hpp"
#include "support/shared_server.hpp"
#include "support/tcp_proxy.hpp"

namespace pgsluice::test {
namespace {

class TcpProxyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    direct_.exec("CREATE TABLE t (n int)");
    database_ = direct_.text("SELECT current_database()");
  }

  Db through_proxy() { return Db(proxy_.dsn(database_)); }

  /// Inserts one row in a transaction whose COMMIT runs into the trap.
  void insert_into_trap(Trap trap) {
    Db db = through_proxy();
    proxy_.set_trap("COMMIT", trap);
    db.exec("BEGIN; INSERT INTO t VALUES (1)");
    EXPECT_THROW(db.exec("COMMIT"), pqxx::broken_connection);
    EXPECT_EQ(proxy_.sprung(), 1);
  }

  std::int64_t backends() {
    return direct_.number("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()");
  }

  Db direct_{fresh_database()};
  std::string database_;
  TcpProxy proxy_{SharedServer::get()};
};

TEST_F(TcpProxyTest, PassesBytesBothWays) {
  EXPECT_EQ(through_proxy().text("SELECT repeat('x', 100000)").size(), 100'000U);
  // Bytes are counted once they have been passed on, which the client may notice first.
  wait_for([&] { return proxy_.bytes_to_client() > 100'000; }, "the bytes to the client to be counted");
  EXPECT_GT(proxy_.bytes_to_server(), 30U);
}

TEST_F(TcpProxyTest, LosesTheCommitBeforeTheServerSeesIt) {
  insert_into_trap(Trap::kLoseRequest);
  wait_for([&] { return backends() == 1; }, "the cut backend to end");
  EXPECT_EQ(direct_.number("SELECT count(*) FROM t"), 0);
}

TEST_F(TcpProxyTest, LosesTheAnswerOfACommitThatHappened) {
  insert_into_trap(Trap::kLoseAnswer);
  EXPECT_EQ(direct_.number("SELECT count(*) FROM t"), 1);
}

TEST_F(TcpProxyTest, LeavesAnOrphanThatCommitsLater) {
  Db blocker(SharedServer::get().dsn(database_));
  blocker.exec("BEGIN; LOCK TABLE t");
  Db db = through_proxy();
  proxy_.set_trap("INSERT", Trap::kOrphan);
  EXPECT_THROW(db.exec("INSERT INTO t VALUES (1)"), pqxx::broken_connection);
  blocker.exec("COMMIT");
  wait_for([&] { return direct_.number("SELECT count(*) FROM t") == 1; }, "the orphan to commit");
  EXPECT_EQ(backends(), 3) << "the orphan's backend must still be there";
}

TEST_F(TcpProxyTest, FindsTheTrapsTextAcrossPackets) {
  Db db = through_proxy();
  proxy_.set_trap("needle", Trap::kLoseRequest);
  EXPECT_THROW(db.exec("SELECT '" + std::string(16'384 - 16, 'x') + "needle'"), pqxx::broken_connection);
}

TEST_F(TcpProxyTest, CutsEveryConnection) {
  Db first = through_proxy();
  Db second = through_proxy();
  EXPECT_EQ(proxy_.open_links(), 2);
  proxy_.cut_all();
  EXPECT_THROW(first.exec("SELECT 1"), pqxx::broken_connection);
  EXPECT_THROW(second.exec("SELECT 1"), pqxx::broken_connection);
}

TEST_F(TcpProxyTest, RefusesNewConnectionsOnly) {
  Db open = through_proxy();
  proxy_.refuse(true);
  EXPECT_THROW(through_proxy(), pqxx::broken_connection);
  EXPECT_EQ(open.number("SELECT 1"), 1);
  proxy_.refuse(false);
  EXPECT_EQ(through_proxy().number("SELECT 1"), 1);
}

TEST_F(TcpProxyTest, StallsWithoutLosingAnything) {
  Db db = through_proxy();
  proxy_.stall(true);
  auto answer = std::async(std::launch::async, [&] { return db.number("SELECT 42"); });
  EXPECT_EQ(answer.wait_for(std::chrono::milliseconds(200)), std::future_status::timeout);
  proxy_.stall(false);
  EXPECT_EQ(answer.get(), 42);
}

TEST(Pgbouncer, HandsTransactionsOfOneClientToSeveralBackends) {
  Pgbouncer pooler(SharedServer::get());
  Db first(pooler.dsn());
  Db second(pooler.dsn());
  first.exec("BEGIN");
  const auto held = first.text("SELECT pg_backend_pid()");
  EXPECT_NE(second.text("SELECT pg_backend_pid()"), held);
  first.exec("COMMIT");
}

TEST(Pgbench, MeasuresWhatTheApplicationNotices) {
  Db db(fresh_database());
  db.exec("CREATE TABLE t (n int); INSERT INTO t VALUES (0)");
  const auto dsn = SharedServer::get().dsn(db.text("SELECT current_database()"));
  Pgbench traffic({.dsn = dsn, .script = "UPDATE t SET n = n + 1;"});
  wait_for([&] { return db.number("SELECT n FROM t") >= 200; }, "traffic");
  const auto result = traffic.stop();
  EXPECT_EQ(result.exit, (Exit{0, 0})) << result.report;
  EXPECT_EQ(result.transactions, db.number("SELECT n FROM t"));
  EXPECT_EQ(result.failed, 0);
  EXPECT_GT(result.max, 0);
  EXPECT_LE(result.p50, result.p99);
  EXPECT_LE(result.p99, result.max);
}

TEST(Pgbench, NoticesALock) {
  const auto dsn = fresh_database();
  make_pgbench_tables(dsn, 1);
  Db db(dsn);
  Pgbench traffic({.dsn = dsn, .clients = 1});
  wait_for([&] { return db.number("SELECT count(*) FROM pgbench_history") > 10; }, "traffic");
  db.exec("BEGIN; LOCK TABLE pgbench_accounts; SELECT pg_sleep(0.3); COMMIT");
  EXPECT_GE(traffic.stop().max, 250);
}

TEST(Pgbench, SaysWhyItCannotStart) {
  EXPECT_THROW(Pgbench({.dsn = "host=/nowhere", .script = "\\nonsense"}), std::runtime_error);
}

}  // namespace
}  // namespace pgsluice::test
