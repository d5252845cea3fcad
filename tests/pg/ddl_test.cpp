// Goal: a sql step gets its lock from an autovacuum and from an application without holding either up, says
// who is in its way, and changes all or nothing. Method: a real anti-app autovacuum made slow, a blocker that
// ends when the test says so, a writer who measures its own waits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/trial.hpp"
#include "support/pgbench.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string sql_job(const std::string& up) {
  return "name = \"change\"\n[[step]]\nkind = \"sql\"\nname = \"change\"\nup = " + up + "\n";
}

/// Autovacuum looks at every database once a second, and crawls through table t.
ServerOptions eager_autovacuum() {
  ServerOptions options;
  options.settings = {{"autovacuum_naptime", "1s"}, {"deadlock_timeout", "1s"}};
  return options;
}

TEST(Ddl, BeatsARunningAutovacuumAsAnOrdinaryOwner) {
  PrivateServer server(eager_autovacuum());
  Trial trial(server);
  const auto owner = trial.make_role("owner");
  trial.db().exec(
      "CREATE TABLE t (id int PRIMARY KEY, v int, filler text DEFAULT repeat('x', 500)) WITH "
      "(autovacuum_vacuum_threshold = 1,"
      " autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit "
      "= 1);"
      "INSERT INTO t SELECT generate_series(1, 20000); ALTER TABLE t OWNER TO " +
      owner + "; UPDATE t SET v = 1 WHERE id % 2 = 0");
  const auto is_vacuuming = [&] {
    return trial.db().yes("SELECT count(*) > 0 FROM pg_stat_progress_vacuum WHERE relid = 't'::regclass");
  };
  wait_for(is_vacuuming, "autovacuum on t");
  trial.connect_as(trial.dsn(owner));
  trial.job(sql_job("\"ALTER TABLE t ADD COLUMN w int\""));

  Traffic traffic;
  traffic.dsn = trial.dsn();
  traffic.script = "\\set id random(1, 20000)\nUPDATE t SET v = v + 1 WHERE id = :id;\n";
  traffic.rate = 50;
  Pgbench application(traffic);
  const auto began = std::chrono::steady_clock::now();
  const auto finished = trial.run();
  const auto took = std::chrono::steady_clock::now() - began;
  const auto noticed = application.stop();

  EXPECT_EQ(finished.code(), 0) << finished.err;
  EXPECT_TRUE(trial.db().yes(
      "SELECT count(*) = 1 FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'w'"));
  EXPECT_LT(took, std::chrono::seconds(20));        // some 2 s; by waiting politely it would take minutes
  EXPECT_LT(noticed.max, 2'000) << noticed.report;  // milliseconds
  EXPECT_EQ(noticed.failed, 0);
  EXPECT_GT(noticed.transactions, 0);
  EXPECT_THAT(server.log_text(), HasSubstr("canceling autovacuum task"));
}

// Dropping a foreign key locks the table that it references too, and no statement names that one.
TEST(Ddl, BeatsAnAutovacuumOfTheTableThatADroppedKeyReferences) {
  PrivateServer server(eager_autovacuum());
  Trial trial(server);
  const std::string key = "FOREIGN KEY (t_id) REFERENCES t (id)";
  const std::string by_sql = "kind = \"sql\"\nname = \"key\"\nup = \"ALTER TABLE child ADD CONSTRAINT k " +
                             key + "\"\ndown = \"ALTER TABLE child DROP CONSTRAINT k\"\n";
  const std::string by_constraint =
      "kind = \"constraint\"\nname = \"key\"\ntable = \"child\"\nforeign_key = { columns = [\"t_id\"], "
      "references = \"t (id)\" }\n";
  trial.db().exec(
      "CREATE TABLE t (id int PRIMARY KEY, v int, filler text DEFAULT repeat('x', 500)) WITH "
      "(autovacuum_enabled = off, autovacuum_vacuum_threshold = 1,"
      " autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit "
      "= 1);"
      "INSERT INTO t SELECT generate_series(1, 20000); CREATE TABLE child (id int, t_id int)");
  const auto owner = trial.make_role("owner");
  trial.db().exec("ALTER TABLE t OWNER TO " + owner + "; ALTER TABLE child OWNER TO " + owner);
  trial.connect_as(trial.dsn(owner));
  for (const auto& [name, step] : {std::pair{"by_sql", by_sql}, {"by_constraint", by_constraint}}) {
    trial.job("name = \"" + std::string(name) + "\"\n[[step]]\n" + step);
    const auto made = trial.run();
    ASSERT_EQ(made.code(), 0) << made.err;
    trial.db().exec("UPDATE t SET v = 1 WHERE id % 2 = 0; ALTER TABLE t SET (autovacuum_enabled = on)");
    wait_for(
        [&] {
          return trial.db().yes(
              "SELECT count(*) > 0 FROM pg_stat_progress_vacuum WHERE relid = 't'::regclass");
        },
        "autovacuum on t");
    const auto began = std::chrono::steady_clock::now();
    const auto back = trial.verb("rollback", {"--yes"});
    EXPECT_EQ(back.code(), 0) << back.err;
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(20)) << name;
    EXPECT_EQ(trial.db().number("SELECT count(*) FROM pg_constraint WHERE conrelid = 'child'::regclass"), 0);
    trial.db().exec("ALTER TABLE t SET (autovacuum_enabled = off)");
  }
}

class BlockedDdl : public testing::Test {
 protected:
  BlockedDdl() : blocker_(trial_.dsn() + " application_name=nightly_report") {
    trial_.db().exec(
        "CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT generate_series(1, 100)");
    trial_.job(sql_job("\"ALTER TABLE t ADD COLUMN w int\""));
  }

  Trial trial_;
  Db blocker_;
};

TEST_F(BlockedDdl, NamesTheBlockerAndGoesThroughWhenItEnds) {
  blocker_.exec("BEGIN; SELECT count(*) FROM t");
  Process process(trial_.command("run"));
  const auto is_told = [&] {
    return trial_.db().yes("SELECT to_regclass('pgsluice.event') IS NOT NULL") &&
           trial_.logged("batch_failed").size() >= 2;
  };
  wait_for(is_told, "two attempts in vain");
  const auto attempt = trial_.logged("batch_failed").front();
  EXPECT_EQ(attempt.at("sqlstate"), "55P03");
  EXPECT_EQ(attempt.at("action"), "retry");
  EXPECT_THAT(attempt.at("message").get<std::string>(),
              AllOf(HasSubstr("\"t\": pid " + std::to_string(blocker_.backend_pid())),
                    HasSubstr("nightly_report"), HasSubstr("idle in transaction")));
  blocker_.exec("COMMIT");
  EXPECT_EQ(process.wait().code, 0) << process.out() << process.err();
  EXPECT_TRUE(trial_.db().yes(
      "SELECT count(*) = 1 FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'w'"));
}

TEST_F(BlockedDdl, LetsTheApplicationPastBetweenItsAttempts) {
  blocker_.exec("BEGIN; SELECT count(*) FROM t");
  Process process(trial_.command("run"));
  Db application(trial_.dsn());
  application.exec(
      "SET statement_timeout = '2s'");  // a write that queues behind the ALTER longer than that fails
  const auto retries = [&] {
    return trial_.db().yes("SELECT to_regclass('pgsluice.event') IS NOT NULL")
               ? trial_.logged("batch_failed").size()
               : 0;
  };
  int writes = 0;
  wait_for(
      [&] {
        application.exec("UPDATE t SET v = coalesce(v, 0) + 1 WHERE id = 1");
        ++writes;
        return retries() >= 3;
      },
      "three attempts in vain");
  EXPECT_EQ(trial_.db().number("SELECT v FROM t WHERE id = 1"), writes);
  blocker_.exec("COMMIT");
  EXPECT_EQ(process.wait().code, 0) << process.out() << process.err();
}

TEST_F(BlockedDdl, StopsWithWorkLeftWhenItsTimeIsUp) {
  blocker_.exec("BEGIN; SELECT count(*) FROM t");
  const auto finished = trial_.run({"--for", "1s"});
  EXPECT_EQ(finished.code(), 75) << finished.err;
  blocker_.exec("COMMIT");
  EXPECT_EQ(trial_.run().code(), 0);
}

TEST_F(BlockedDdl, ChangesNothingWhenItsSecondStatementFails) {
  trial_.job(sql_job(
      "[\"ALTER TABLE t ADD COLUMN w int\", \"ALTER TABLE t ADD CONSTRAINT small CHECK (id < 50)\"]"));
  const auto finished = trial_.run();
  EXPECT_EQ(finished.code(), 1) << finished.err;
  EXPECT_THAT(refusal_of(finished).message, AllOf(HasSubstr("step \"change\""), HasSubstr("23514")));
  EXPECT_THAT(refusal_of(finished).hint, HasSubstr("this step has changed nothing"));
  EXPECT_TRUE(trial_.db().yes(
      "SELECT count(*) = 0 FROM pg_attribute WHERE attrelid = 't'::regclass AND attname = 'w'"));
  EXPECT_EQ(trial_.db().text("SELECT state FROM pgsluice.step"), "failed");
  trial_.db().exec("DELETE FROM t WHERE id >= 50");
  EXPECT_EQ(trial_.run().code(), 0);
}

TEST_F(BlockedDdl, HalfAppliedIsToldAndCanBeAdopted) {
  trial_.db().exec("ALTER TABLE t ADD COLUMN w text");
  const auto finished = trial_.run();
  EXPECT_EQ(finished.code(), 5) << finished.err;
  EXPECT_THAT(refusal_of(finished).message, HasSubstr("column \"w\" is there as text"));
  EXPECT_THAT(refusal_of(finished).hint, HasSubstr("IF NOT EXISTS"));
  EXPECT_EQ(trial_.verb("adopt", {"--up-to", "change", "--reason", "text will do"}).code(), 0);
  EXPECT_EQ(trial_.run().code(), 0);
  EXPECT_EQ(trial_.db().text("SELECT state FROM pgsluice.job"), "done");
}

TEST_F(BlockedDdl, WhatCameInTheWayMeanwhileFailsTheStepAndCanBeResolved) {
  trial_.job(sql_job("[\"ALTER TABLE t DROP COLUMN IF EXISTS gone\", \"ALTER TABLE t ADD COLUMN w int\"]"));
  trial_.db().exec(
      "ALTER TABLE t ADD COLUMN w text");  // preflight cannot know what the first statement removes
  const auto finished = trial_.run();
  EXPECT_EQ(finished.code(), 1) << finished.err;
  EXPECT_THAT(refusal_of(finished).message, HasSubstr("column \"w\" is there as text"));
  EXPECT_THAT(refusal_of(finished).hint, HasSubstr("resolve change change --applied"));
  EXPECT_EQ(trial_.verb("resolve", {"change", "--applied", "--reason", "added by hand"}).code(), 0);
  EXPECT_EQ(trial_.run().code(), 0);
}

}  // namespace
}  // namespace pgsluice::test
