// Goal: a copy brings every row exactly once, whatever dies: the program, a backend or a server on either
// side, a COMMIT's answer; also with two runs at once. Method: the real program, a target without a unique
// index, where a doubled row shows.
#include <gtest/gtest.h>

#include "pg/copy_trial.hpp"
#include "support/environment.hpp"
#include "support/tcp_proxy.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

constexpr int kRows = 4'000;

void make_tables(CopyTrial& copy) {
  copy.source().exec(
      "CREATE TABLE t (id int PRIMARY KEY, n int, note text);"
      "INSERT INTO t SELECT g, g % 7, 'row ' || g FROM generate_series(1, " +
      std::to_string(kRows) + ") g; ANALYZE t");
  copy.target().exec("CREATE TABLE t (id int, n int, note text)");
}

/// Gives every batch a length.
void slow_down(CopyTrial& copy) {
  copy.target().exec(
      "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.02); RETURN "
      "NULL; "
      "END $$; CREATE TRIGGER slow BEFORE INSERT ON t FOR EACH STATEMENT EXECUTE FUNCTION slow()");
}

std::int64_t copied(CopyTrial& copy) {
  return copy.target().number("SELECT count(*) FROM t");
}

void await_more(CopyTrial& copy, Process& run) {
  const auto before = copied(copy);
  wait_for([&] { return copied(copy) > before + 200 || !run.running(); }, "rows to be copied");
}

/// Ends every session of the program's lanes on that server.
void terminate(Db& db, const std::string& like) {
  db.exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE '" + like +
          "'");
}

TEST(CopyOnce, HoldsAfterSigkillAtEveryNamedFailpoint) {
  for (const std::string name :
       {"copy_read", "after_begin", "after_position", "after_update", "after_commit"}) {
    for (const int pass : {1, 2, 9}) {
      SCOPED_TRACE(name + ":" + std::to_string(pass));
      CopyTrial copy;
      make_tables(copy);
      copy.job("t");
      auto command = copy.trial().command("run");
      command.env["PGSLUICE_FAILPOINT"] = name + ":" + std::to_string(pass);
      EXPECT_EQ(run(command).exit.signal, SIGKILL);
      copy.expect("run", 0);
      copy.expect_same("TABLE t");
    }
  }
}

TEST(CopyOnce, HoldsWhenRunsAreKilledAndTwoGoOn) {
  CopyTrial copy;
  make_tables(copy);
  slow_down(copy);
  copy.job("t");
  for (int i = 0; i < (long_run() ? 10 : 3); ++i) {
    Process run(copy.trial().command("run"));
    await_more(copy, run);
    kill_program(copy.trial(), run);
  }
  Process one(copy.trial().command("run", {"--wait", "60s"}));
  Process two(copy.trial().command("run", {"--wait", "60s"}));
  EXPECT_EQ(one.wait(2 * kPatience).code, 0) << one.out() << one.err();
  EXPECT_EQ(two.wait(2 * kPatience).code, 0) << two.out() << two.err();
  copy.expect_same("TABLE t");
}

TEST(CopyOnce, HoldsWhenBackendsOfEitherSideEnd) {
  CopyTrial copy;
  make_tables(copy);
  slow_down(copy);
  copy.job("t");
  Process run(copy.trial().command("run"));
  for (int i = 0; i < 6; ++i) {
    await_more(copy, run);
    terminate(copy.target(), i % 2 == 0 ? "%lane%" : "%source%");
  }
  EXPECT_EQ(run.wait(2 * kPatience).code, 0) << run.out() << run.err();
  copy.expect_same("TABLE t");
}

TEST(CopyOnce, HoldsThroughACrashOfEitherServer) {
  PrivateServer there;
  PrivateServer here;
  for (PrivateServer* crashed : {&there, &here}) {
    SCOPED_TRACE(crashed == &there ? "source" : "target");
    CopyTrial copy(there, here);
    make_tables(copy);
    slow_down(copy);
    copy.job("t");
    Process run(copy.trial().command("run"));
    await_more(copy, run);
    crashed->crash_and_restart();
    EXPECT_EQ(run.wait(2 * kPatience).code, 0) << run.out() << run.err();
    auto source = Db(copy.source_dsn());
    auto target = Db(copy.trial().dsn());
    const std::string query = "SELECT t::text FROM t ORDER BY id";
    EXPECT_EQ(source.column(query), target.column(query));
  }
}

TEST(CopyOnce, HoldsWhenTheAnswerToACommitIsLost) {
  for (const Trap trap : {Trap::kLoseAnswer, Trap::kLoseRequest, Trap::kOrphan}) {
    CopyTrial copy;
    make_tables(copy);
    slow_down(copy);
    TcpProxy network(copy.trial().server());
    copy.trial().connect_as(network.dsn(copy.trial().database()));
    copy.job("t");
    Process run(copy.trial().command("run"));
    for (int i = 1; i <= 3; ++i) {
      network.set_trap("rows_changed = rows_changed + 50", trap);
      wait_for([&] { return network.sprung() >= i || !run.running(); }, "a COMMIT to be lost");
    }
    EXPECT_EQ(run.wait(2 * kPatience).code, 0) << run.out() << run.err();
    EXPECT_GE(network.sprung(), 1);
    copy.expect_same("TABLE t");
  }
}

TEST(CopyOnce, GivesUpOnAFrozenSourceAndGoesOnLater) {
  CopyTrial copy;
  make_tables(copy);
  slow_down(copy);
  TcpProxy network(copy.trial().server());
  copy.read_from(network.dsn(copy.source().text("SELECT current_database()")));
  copy.job("t");
  Process run(copy.trial().command("run"));
  await_more(copy, run);
  network.stall(true);
  run.signal(SIGTERM);
  EXPECT_EQ(run.wait(2 * kPatience).code, 75) << run.out() << run.err();
  network.stall(false);
  copy.expect("run", 0);
  copy.expect_same("TABLE t");
}

}  // namespace
}  // namespace pgsluice::test
