// Goal: when the ground moves under a run, it ends with a clear error and the right code, loses nothing,
// doubles nothing, and goes on once the ground is firm. Method: real runs of n = n + 1, held at a row that
// the test has locked while it does the damage.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/small_disk.hpp"
#include "pg/trial.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr int kRows = 6'000;

/// Table t(id, n) with n = 0, and a job that adds 1 to each; its last row is locked, so that a run comes far
/// and stays.
class Disaster : public testing::Test {
 protected:
  Disaster() : locker_(trial_.dsn()) {
    trial_.db().exec("CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL DEFAULT 0)");
    fill();
    trial_.job(backfill_job("t", "n = \"n + 1\"", "", "[batch]\nrows = 100\nrows_max = 200"));
  }

  void fill() {
    trial_.db().exec("INSERT INTO t SELECT generate_series(1, " + std::to_string(kRows) + "); ANALYZE t");
  }
  void hold() { locker_.exec("BEGIN; SELECT * FROM t WHERE id = " + std::to_string(kRows) + " FOR UPDATE"); }
  void let_go() { locker_.exec("COMMIT"); }

  std::int64_t changed() { return trial_.db().number("SELECT sum(rows_changed) FROM pgsluice.range"); }
  void expect_each_once() {
    EXPECT_EQ(trial_.db().text("SELECT min(n) || ' ' || max(n) || ' ' || count(*) FROM t"),
              "1 1 " + std::to_string(kRows));
  }

  Trial trial_;
  Db locker_;
};

TEST_F(Disaster, DroppingTheTableEndsTheRunWithoutLosingItsPlace) {
  hold();
  Process process(trial_.command("run"));
  await_batches(trial_, 5);
  locker_.exec("DROP TABLE t; COMMIT");
  EXPECT_EQ(process.wait().code, 1) << process.out() << process.err();
  const auto refusal = refusal_of({{}, process.out(), process.err()});
  EXPECT_THAT(refusal.message, AllOf(HasSubstr("public.t"), HasSubstr("42P01")));
  EXPECT_THAT(refusal.hint, HasSubstr("compare it with the job file"));
  EXPECT_EQ(trial_.db().text("SELECT state FROM pgsluice.job"), "failed");

  const auto again = trial_.run();
  EXPECT_EQ(again.code(), 5) << again.err;
  EXPECT_THAT(refusal_of(again).message, HasSubstr("table \"t\" does not exist"));

  const auto before = changed();  // then it comes back, as from a backup: the rest of it is changed
  trial_.db().exec("CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL DEFAULT 0)");
  fill();
  EXPECT_EQ(trial_.run().code(), 0);
  EXPECT_EQ(trial_.db().number("SELECT sum(n) FROM t"), kRows - before);
}

TEST_F(Disaster, AColumnAddedByHandWhileItRunsDoesNoHarm) {
  hold();
  Process process(trial_.command("run"));
  await_batches(trial_, 5);
  locker_.exec("ALTER TABLE t ADD COLUMN remark text NOT NULL DEFAULT 'by hand'; COMMIT");
  EXPECT_EQ(process.wait().code, 0) << process.out() << process.err();
  expect_each_once();
}

TEST_F(Disaster, AColumnAddedByHandBetweenTwoRunsDoesNoHarm) {
  hold();
  Process process(trial_.command("run"));
  await_batches(trial_, 5);
  kill_program(trial_, process);
  let_go();
  trial_.db().exec("ALTER TABLE t ADD COLUMN remark text NOT NULL DEFAULT 'by hand'");
  const auto again = trial_.run();
  EXPECT_EQ(again.code(), 0) << again.err;
  expect_each_once();
}

TEST_F(Disaster, AColumnDroppedByHandEndsTheRunAndComesBack) {
  hold();
  Process process(trial_.command("run"));
  await_batches(trial_, 5);
  locker_.exec("ALTER TABLE t RENAME COLUMN n TO m; COMMIT");
  EXPECT_EQ(process.wait().code, 1) << process.out() << process.err();
  EXPECT_THAT(refusal_of({{}, process.out(), process.err()}).message, HasSubstr("42703"));
  trial_.db().exec("ALTER TABLE t RENAME COLUMN m TO n");
  EXPECT_EQ(trial_.run().code(), 0);
  expect_each_once();
}

TEST_F(Disaster, APrivilegeTakenAwayWhileItRunsEndsItWith77) {
  const auto role = trial_.make_role("filler");
  trial_.db().exec("GRANT SELECT, UPDATE ON t TO " + role);
  trial_.connect_as(trial_.dsn(role));
  hold();
  Process process(trial_.command("run"));
  await_batches(trial_, 5);
  locker_.exec("REVOKE UPDATE ON t FROM " + role + "; COMMIT");
  EXPECT_EQ(process.wait().code, 77) << process.out() << process.err();
  EXPECT_THAT(refusal_of({{}, process.out(), process.err()}).hint, HasSubstr("GRANT"));
  trial_.db().exec("GRANT UPDATE ON t TO " + role);
  EXPECT_EQ(trial_.run().code(), 0);
  expect_each_once();
}

TEST_F(Disaster, AHeartbeatThatTheServerRefusesIsSaid) {
  const auto role = trial_.make_role("filler");
  trial_.db().exec("GRANT SELECT, UPDATE ON t TO " + role);
  trial_.connect_as(trial_.dsn(role));
  hold();
  Process process(trial_.command("run"));
  await_batches(trial_, 5);
  trial_.db().exec("REVOKE UPDATE ON pgsluice.run FROM " + role);
  const auto is_told = [&] {
    return process.out().find("the heartbeat is refused: permission denied") != std::string::npos;
  };
  wait_for(is_told, "the warning");
  trial_.db().exec("GRANT UPDATE ON pgsluice.run TO " + role);
  locker_.exec("COMMIT");
  EXPECT_EQ(process.wait().code, 0) << process.out() << process.err();
  expect_each_once();
}

TEST_F(Disaster, ATableThatSomebodyLocksIsWaitedFor) {
  locker_.exec("BEGIN; LOCK TABLE t IN EXCLUSIVE MODE");
  Process process(trial_.command("run"));
  const auto is_told = [&] {
    return trial_.db().yes("SELECT to_regclass('pgsluice.event') IS NOT NULL") &&
           !trial_.logged("warning").empty();
  };
  wait_for(is_told, "the warning");
  EXPECT_THAT(trial_.logged("warning").front().at("message").get<std::string>(),
              AllOf(HasSubstr("the server cannot serve us"), HasSubstr("lock timeout")));
  EXPECT_TRUE(process.running());
  locker_.exec("COMMIT");
  EXPECT_EQ(process.wait().code, 0) << process.out() << process.err();
  expect_each_once();
}

TEST(DiskFull, EndsTheRunAndTheNextOneFinishesOnceThereIsRoom) {
  SmallDisk disk(6 << 20);
  PrivateServer server;
  Trial trial(server);
  trial.db().exec("CREATE TABLESPACE small LOCATION '" + disk.path().string() + "'");
  // 16,000 rows of 220 bytes are 3.8 MB; their new versions need as much again. No vacuum is to help out.
  trial.db().exec(
      "CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL DEFAULT 0, filler text DEFAULT repeat('x', 180)) "
      "WITH (autovacuum_enabled = off) TABLESPACE small; INSERT INTO t SELECT generate_series(1, 16000); "
      "ANALYZE t");
  trial.job(backfill_job("t", "n = \"n + 1\""));

  const auto full = trial.run();
  EXPECT_EQ(full.code(), 1) << full.out << full.err;
  const auto refusal = refusal_of(full);
  EXPECT_THAT(refusal.message, AllOf(HasSubstr("public.t"), HasSubstr("53100")));
  EXPECT_THAT(refusal.hint, HasSubstr("free space on the server's disk"));
  EXPECT_EQ(trial.db().number("SELECT sum(n) FROM t"), summary_of(full).at("rows_changed").get<int>());
  EXPECT_LT(trial.db().number("SELECT sum(n) FROM t"), 16'000);

  disk.resize(64 << 20);
  const auto again = trial.run();
  EXPECT_EQ(again.code(), 0) << again.err;
  EXPECT_EQ(trial.db().text("SELECT min(n) || ' ' || max(n) || ' ' || count(*) FROM t"), "1 1 16000");
}

}  // namespace
}  // namespace pgsluice::test
