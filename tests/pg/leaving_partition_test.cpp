// Goal: a partition that leaves its table while blocks are walked takes its rows along as they are, and the
// run goes on with the rest. Method: the real program on slow partitions, one of which is detached or
// dropped.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/trial.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class LeavingPartition : public testing::Test {
 protected:
  LeavingPartition() {
    trial_.db().exec(
        "CREATE TABLE t (id int, part int, filler text, done boolean, n int NOT NULL DEFAULT 0, PRIMARY KEY "
        "(id, "
        "part)) PARTITION BY LIST (part);"
        "CREATE TABLE t_1 PARTITION OF t FOR VALUES IN (1); CREATE TABLE t_2 PARTITION OF t FOR VALUES IN "
        "(2);"
        "CREATE TABLE t_rest PARTITION OF t DEFAULT PARTITION BY LIST (part);"
        "CREATE TABLE t_3 PARTITION OF t_rest FOR VALUES IN (3);"
        "INSERT INTO t SELECT i, 1 + i % 3, repeat('x', 100) FROM generate_series(1, 18000) i; ANALYZE t;"
        "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.02); RETURN "
        "NULL; "
        "END'");
    for (const char* leaf : {"t_1", "t_2", "t_3"})
      trial_.db().exec(std::string("CREATE TRIGGER slow BEFORE UPDATE ON ") + leaf +
                       " EXECUTE FUNCTION dawdle()");
    trial_.job(backfill_job("t", "done = \"true\", n = \"n + 1\"",
                            "walk = \"blocks\"\nwhere = \"done IS NULL\"\n",
                            "[batch]\nrows = 100\nrows_max = 200\n"));
  }

  /// Runs the job; `change` comes when both lanes have begun, and some rows of every partition are left.
  Finished run_beside(const std::string& change) {
    Process process(trial_.command("run"));
    await_batches(trial_, 8);
    std::istringstream statements(change);
    for (std::string sql; std::getline(statements, sql, ';');) trial_.db().exec(sql);
    const auto exit = process.wait(2 * kPatience);
    return {exit, process.out(), process.err()};
  }

  void expect_done_without(const Finished& finished, const std::string& leaf) {
    EXPECT_EQ(finished.code(), 0) << finished.out << finished.err;
    EXPECT_EQ(trial_.db().text("SELECT count(*) || ' ' || min(n) || ' ' || max(n) FROM t"), "12000 1 1");
    std::string warnings;
    for (const auto& warning : trial_.logged("warning")) warnings += warning.dump();
    EXPECT_THAT(warnings, AllOf(HasSubstr(leaf), HasSubstr("was detached or dropped")));
    EXPECT_EQ(trial_.db().number("SELECT count(*) FROM pgsluice.range WHERE NOT is_done"), 0);
  }

  Trial trial_;
};

TEST_F(LeavingPartition, KeepsItsRowsWhenDetached) {
  const auto finished = run_beside(
      "BEGIN;ALTER TABLE t DETACH PARTITION t_1;CREATE TABLE at_that_time AS SELECT count(*) AS rows FROM "
      "t_1 WHERE "
      "done;"
      "COMMIT");
  expect_done_without(finished, "t_1");
  EXPECT_EQ(trial_.db().text("SELECT count(*) = (SELECT rows FROM at_that_time) FROM t_1 WHERE done"), "t");
  EXPECT_GT(trial_.db().number("SELECT rows FROM at_that_time"), 0) << "it was detached before it was walked";
  EXPECT_LT(trial_.db().number("SELECT rows FROM at_that_time"), 6'000) << "it was detached too late to tell";
}

TEST_F(LeavingPartition, KeepsItsRowsWhenDetachedConcurrently) {
  // A default partition allows no concurrent one.
  trial_.db().exec(
      "ALTER TABLE t DETACH PARTITION t_rest; ALTER TABLE t_rest DETACH PARTITION t_3;"
      "ALTER TABLE t ATTACH PARTITION t_3 FOR VALUES IN (3)");
  const auto finished = run_beside(
      "ALTER TABLE t DETACH PARTITION t_2 CONCURRENTLY;CREATE TABLE at_that_time AS SELECT count(*) AS rows "
      "FROM "
      "t_2 WHERE done");
  expect_done_without(finished, "t_2");
  EXPECT_EQ(trial_.db().text("SELECT count(*) = (SELECT rows FROM at_that_time) FROM t_2 WHERE done"), "t");
}

TEST_F(LeavingPartition, KeepsItsRowsWhenItsOwnParentIsDetached) {
  const auto finished = run_beside(
      "BEGIN;ALTER TABLE t DETACH PARTITION t_rest;CREATE TABLE at_that_time AS SELECT count(*) AS rows FROM "
      "t_3 "
      "WHERE "
      "done;COMMIT");
  expect_done_without(finished, "t_3");
  EXPECT_EQ(trial_.db().text("SELECT count(*) = (SELECT rows FROM at_that_time) FROM t_3 WHERE done"), "t");
}

TEST_F(LeavingPartition, IsNoFailureWhenDropped) {
  expect_done_without(run_beside("DROP TABLE t_1"), "t_1");
}

TEST_F(LeavingPartition, IsNoFailureWhenDroppedBeforeItsTurn) {
  expect_done_without(run_beside("DROP TABLE t_2"), "t_2");
}

TEST_F(LeavingPartition, IsNotMistakenForAnotherTableUnderItsName) {
  const auto finished = run_beside(
      "BEGIN;DROP TABLE t_2;CREATE TABLE t_2 AS SELECT i AS id, 2 AS part, repeat('y', 100) AS filler, "
      "NULL::boolean "
      "AS done, 0 AS n FROM generate_series(1, 6000) i;COMMIT");
  expect_done_without(finished, "t_2");
  EXPECT_EQ(trial_.db().number("SELECT count(*) FROM t_2 WHERE n <> 0 OR done"), 0);
}

/// It stays a partition, and another table takes its name: the UPDATE goes by name.
TEST_F(LeavingPartition, IsNotMistakenForOneThatTookItsName) {
  const auto finished = run_beside(
      "BEGIN;ALTER TABLE t_1 RENAME TO t_one;CREATE TABLE t_1 (LIKE t_one INCLUDING DEFAULTS);"
      "INSERT INTO t_1 SELECT id, part, filler FROM t_one;COMMIT");
  EXPECT_EQ(trial_.db().number("SELECT count(*) FROM t_1 WHERE done"), 0) << finished.out << finished.err;
  EXPECT_EQ(trial_.run().code(), 0);
  EXPECT_EQ(trial_.db().text("SELECT count(*) || ' ' || min(n) || ' ' || max(n) FROM t"), "18000 1 1");
  EXPECT_EQ(trial_.db().number("SELECT count(*) FROM t_1 WHERE done"), 0);
}

TEST_F(LeavingPartition, MayHaveLeftBetweenTwoRuns) {
  auto command = trial_.command("run");
  command.env["PGSLUICE_FAILPOINT"] = "after_commit:8";
  ASSERT_EQ(test::run(command, 2 * kPatience).exit.signal, SIGKILL);
  trial_.db().exec("DROP TABLE t_2");
  const auto finished = trial_.run();
  EXPECT_EQ(finished.code(), 0) << finished.out << finished.err;
  EXPECT_EQ(trial_.db().text("SELECT count(*) || ' ' || min(n) || ' ' || max(n) FROM t"), "12000 1 1");
}

TEST_F(LeavingPartition, IsNoExcuseForATableThatIsGone) {
  const auto finished = run_beside("DROP TABLE t");
  EXPECT_NE(finished.code(), 0) << finished.out;
}

}  // namespace
}  // namespace pgsluice::test
