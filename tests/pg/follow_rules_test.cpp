// Goal: each rule by which a copy follows its source holds, and what passes by its triggers is noticed.
// Method: the real program, and for each rule the one interleaving that loses a row without it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/follow_trial.hpp"
#include "support/environment.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

using testing::HasSubstr;

std::string refusal(Db& db, const std::string& sql) try {
  db.exec(sql);
  return {};
} catch (const std::exception& e) {
  return e.what();
}

/// Until a session of the program waits for a lock there.
void await_blocked(Db& db, Process& run) {
  wait_for(
      [&] {
        return !run.running() ||
               db.yes(
                   "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name LIKE "
                   "'pgsluice%' AND wait_event_type = 'Lock')");
      },
      "the program to wait for a lock");
  ASSERT_TRUE(run.running()) << run.out() << run.err();
}

TEST(FollowRules, NotesChangesBeforeItReadsWhereTheCopyEnds) {
  FollowTrial follow;
  follow.make();
  Db writer(follow.copy().source_dsn());
  writer.exec("BEGIN; INSERT INTO t VALUES (5000, 1, 'in flight')");
  const auto run = follow.start();
  await_blocked(follow.source(), *run);
  writer.exec("INSERT INTO t VALUES (6000, 1, 'in flight too'); COMMIT");
  follow.await_following(*run);
  follow.expect_switch(*run);
  follow.copy().expect_same("TABLE t");
}

/// A source that loses what it has committed gives the same numbers once more.
TEST(FollowRules, ForgetsNoOtherEntryOfTheSameNumber) {
  FollowTrial follow;
  follow.make();
  const auto run = follow.start();
  follow.await_caught_up(*run);
  Db blocker(follow.copy().trial().dsn());
  blocker.exec("BEGIN; SELECT FROM t WHERE id = 2 FOR UPDATE");
  follow.source().exec("UPDATE t SET note = 'lost' WHERE id = 2");
  await_blocked(follow.target(), *run);
  const auto queue = follow.source().text(
      "SELECT oid::regclass::text FROM pg_class WHERE relname LIKE 'changes%' AND relkind = 'r'");
  follow.source().exec("BEGIN; CREATE TEMP TABLE lost ON COMMIT DROP AS SELECT change_id FROM " + queue +
                       "; UPDATE t SET note = 'under the same number' WHERE id = 3; DELETE FROM " + queue +
                       "; INSERT INTO " + queue +
                       " (change_id, key_1) OVERRIDING SYSTEM VALUE SELECT change_id, 3 FROM lost; COMMIT");
  blocker.exec("COMMIT");
  follow.await_caught_up(*run);
  EXPECT_EQ(follow.target().text("SELECT note FROM t WHERE id = 3"), "under the same number");
  follow.expect_switch(*run);
  follow.copy().expect_same("TABLE t");
}

TEST(FollowRules, RefusesAQueueWhoseTriggersWereDroppedBeforeItWasRead) {
  for (const std::string change : {"DROP TRIGGER %I ON t", "ALTER TABLE t DISABLE TRIGGER %I"}) {
    SCOPED_TRACE(change);
    FollowTrial follow;
    follow.make();
    const auto died = follow.start("follow_installed");
    EXPECT_EQ(died->wait(2 * kPatience).signal, SIGKILL);
    follow.source().exec("DO $$BEGIN EXECUTE (SELECT format('" + change +
                         "', tgname) FROM pg_trigger WHERE tgname LIKE 'pgsluice_note%'); END$$");
    const auto run = follow.copy().trial().verb("run");
    EXPECT_EQ(run.code(), 5) << run.out << run.err;
    EXPECT_THAT(refusal_of(run).message, HasSubstr("trigger"));
  }
}

TEST(FollowRules, BringsRowsThatReferToLaterOnes) {
  FollowTrial follow;
  follow.copy().both("CREATE TABLE t (id int PRIMARY KEY, next int REFERENCES t, note text)");
  follow.source().exec(
      "INSERT INTO t SELECT g, NULLIF(g + 1, 401), 'row' FROM generate_series(400, 1, -1) g; ANALYZE t");
  follow.job();
  const auto run = follow.start();
  follow.await_caught_up(*run);
  follow.copy().expect_same("TABLE t");
  follow.source().exec("UPDATE t SET next = 401 - id; UPDATE t SET next = NULL WHERE next BETWEEN 50 AND 80");
  follow.source().exec("DELETE FROM t WHERE id BETWEEN 50 AND 80; INSERT INTO t VALUES (50, 50, 'itself')");
  follow.await_caught_up(*run);
  follow.expect_switch(*run);
  follow.copy().expect_same("TABLE t");
}

TEST(FollowRules, MovesABranchBeforeItsTrunkGoes) {
  FollowTrial follow;
  follow.copy().both(
      "CREATE TABLE t (id numeric PRIMARY KEY, parent numeric REFERENCES t ON DELETE CASCADE, note text)");
  follow.source().exec(
      "INSERT INTO t VALUES (1, NULL, ''), (2, 1, ''), (3, 2, ''), (4, 3, ''), (5.0, NULL, ''); ANALYZE t");
  follow.job();
  const auto run = follow.start();
  follow.await_caught_up(*run);
  follow.source().exec(
      "BEGIN; UPDATE t SET parent = NULL WHERE id = 3; DELETE FROM t WHERE id = 2; DELETE FROM t WHERE id = "
      "1; "
      "UPDATE t SET id = 5.00 WHERE id = 5; COMMIT");
  follow.await_caught_up(*run);
  follow.copy().expect_same("TABLE t");
  follow.expect_switch(*run);
  follow.copy().expect_same("TABLE t");
}

TEST(FollowRules, EndsWhereARowRefersToNothing) {
  FollowTrial follow;
  follow.copy().both("CREATE TABLE t (id int PRIMARY KEY, n int, note text)");
  follow.target().exec(
      "CREATE TABLE users (id int PRIMARY KEY); INSERT INTO users VALUES (1); "
      "ALTER TABLE t ADD FOREIGN KEY (n) REFERENCES users");
  follow.source().exec("INSERT INTO t SELECT g, 1, '' FROM generate_series(1, 100) g; ANALYZE t");
  follow.job();
  const auto run = follow.start();
  follow.await_caught_up(*run);
  follow.source().exec("UPDATE t SET n = 2 WHERE id = 7; UPDATE t SET note = 'brought' WHERE id = 8");
  EXPECT_EQ(run->wait(2 * kPatience).code, 1) << run->out() << run->err();
  EXPECT_THAT(run->err(), HasSubstr("row 7 of table"));
  EXPECT_EQ(follow.target().text("SELECT note FROM t WHERE id = 8"), "brought");
  follow.target().exec("INSERT INTO users VALUES (2)");
  const auto next = follow.start();
  follow.await_caught_up(*next);
  follow.expect_switch(*next);
  follow.copy().expect_same("TABLE t");
}

TEST(FollowRules, ForgetsExactlyTheEntriesThatItHasRead) {
  FollowTrial follow;
  follow.make();
  const auto run = follow.start();
  follow.await_caught_up(*run);
  Db early(follow.copy().source_dsn());
  early.exec("BEGIN; UPDATE t SET note = 'noted first, committed last' WHERE id = 1");
  Db blocker(follow.copy().trial().dsn());
  blocker.exec("BEGIN; SELECT FROM t WHERE id = 2 FOR UPDATE");
  follow.source().exec("UPDATE t SET note = 'noted last' WHERE id = 2");
  await_blocked(follow.target(), *run);
  early.exec("COMMIT");
  blocker.exec("COMMIT");
  follow.await_caught_up(*run);
  follow.copy().expect_same("TABLE t");
  follow.expect_switch(*run);
}

TEST(FollowRules, ForgetsNothingThatACrashOfTheTargetCanLose) {
  PrivateServer there;
  PrivateServer here({.settings = {{"synchronous_commit", "off"}, {"wal_writer_delay", "10s"}}});
  FollowTrial follow(there, here);
  follow.make();
  const auto run = follow.start();
  follow.await_caught_up(*run);
  for (int i = 0; i < 3; ++i) {
    follow.source().exec("UPDATE t SET n = n + 1 WHERE id BETWEEN 100 AND 200; DELETE FROM t WHERE id = " +
                         std::to_string(300 + i));
    wait_for([&] { return follow.queued() == 0; }, "the queue to be empty");
    here.crash_and_restart();
  }
  Finished asked;
  wait_for(
      [&] {
        asked = follow.ask_switch("30s");
        return asked.code() == 0 || !run->running();
      },
      "the switch");
  EXPECT_EQ(asked.code(), 0) << asked.out << asked.err;
  EXPECT_EQ(run->wait(2 * kPatience).code, 0) << run->out() << run->err();
  Db target(follow.copy().trial().dsn());
  const std::string query = "SELECT t::text FROM t ORDER BY id";
  EXPECT_EQ(follow.source().column(query), target.column(query));
}

TEST(FollowRules, LetsOnlyOneRunBringChanges) {
  FollowTrial follow;
  follow.make();
  const auto run = follow.start();
  follow.await_following(*run);
  EXPECT_EQ(follow.copy().trial().run().code(), 11);
  follow.expect_switch(*run);
}

TEST(FollowRules, NotesOldAndNewKeyAlsoOfWritersThatReplicateOrHaveNoRights) {
  FollowTrial follow;
  follow.make();
  const auto role = follow.copy().trial().make_role("writer");
  follow.source().exec("GRANT SELECT, INSERT, UPDATE, DELETE ON t TO " + role);
  const auto run = follow.start();
  follow.await_caught_up(*run);
  follow.source().exec("UPDATE t SET id = id + 10000 WHERE id BETWEEN 10 AND 20");
  follow.source().exec(
      "SET session_replication_role = replica; DELETE FROM t WHERE id = 30; SET session_replication_role = "
      "origin");
  follow.source().exec("SET ROLE " + role +
                       "; SET search_path = nowhere; UPDATE public.t SET n = 7 WHERE id = 40; INSERT INTO "
                       "public.t VALUES (-5, 0, 'theirs'); RESET search_path; RESET ROLE");
  follow.await_caught_up(*run);
  follow.copy().expect_same("TABLE t");
  follow.expect_switch(*run);
}

TEST(FollowRules, RefusesTruncateAndNoticesWhatPassesByItsTriggers) {
  const std::vector<std::string> ways{
      "ALTER TABLE t DISABLE TRIGGER ALL; DELETE FROM t WHERE id < 100; ALTER TABLE t ENABLE TRIGGER ALL",
      "ALTER TABLE t ALTER n TYPE bigint USING n + 1",
      "ALTER TABLE t RENAME TO old; CREATE TABLE t (LIKE old INCLUDING ALL); INSERT INTO t SELECT * FROM old "
      "WHERE id > 10",
      "CREATE TABLE child () INHERITS (t); INSERT INTO child VALUES (-1, 0, 'a child''s')"};
  for (const auto& way : ways) {
    SCOPED_TRACE(way);
    FollowTrial follow;
    follow.make();
    const auto run = follow.start();
    follow.await_caught_up(*run);
    EXPECT_THAT(refusal(follow.source(), "TRUNCATE t"), HasSubstr("is followed by pgsluice"));
    follow.source().exec(way);
    EXPECT_EQ(run->wait(2 * kPatience).code, 5) << run->out() << run->err();
    EXPECT_THAT(run->err() + run->out(), HasSubstr("may have passed unnoticed"));
    EXPECT_EQ(follow.copy().trial().run().code(), 5) << "the next run must notice too";
  }
}

TEST(FollowRules, BringsUniqueValuesThatRowsExchange) {
  FollowTrial follow;
  follow.copy().both("CREATE TABLE t (id int PRIMARY KEY, n int UNIQUE DEFERRABLE, note text UNIQUE)");
  follow.target().exec("ALTER TABLE t DROP CONSTRAINT t_n_key, ADD UNIQUE (n)");
  follow.source().exec("INSERT INTO t SELECT g, g, 'row ' || g FROM generate_series(1, 2000) g; ANALYZE t");
  follow.job();
  const auto run = follow.start();
  follow.await_caught_up(*run);
  follow.source().exec(
      "BEGIN; SET CONSTRAINTS ALL DEFERRED; UPDATE t SET n = 2001 - n; UPDATE t SET note = '' WHERE id = 7;"
      "UPDATE t SET note = 'row 7' WHERE id = 8; UPDATE t SET note = 'row 8' WHERE id = 7; COMMIT");
  follow.await_caught_up(*run);
  follow.copy().expect_same("TABLE t");
  follow.expect_switch(*run);
}

TEST(FollowRules, CopiesAroundAUniqueValueThatARowHasGivenUpSince) {
  FollowTrial follow;
  follow.copy().both("CREATE TABLE t (id int PRIMARY KEY, n int UNIQUE, note text)");
  follow.source().exec("INSERT INTO t SELECT g, g, 'row ' || g FROM generate_series(1, 4000) g; ANALYZE t");
  follow.target().exec(
      "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.05); RETURN "
      "NULL; END $$; CREATE TRIGGER slow BEFORE INSERT ON t FOR EACH STATEMENT EXECUTE FUNCTION slow()");
  follow.job("", "", "[batch]\nrows = 50\nrows_min = 50\nrows_max = 50\n[pool]\nlanes = 1");
  const auto run = follow.start();
  wait_for(
      [&] { return !run->running() || follow.target().yes("SELECT EXISTS (SELECT FROM t WHERE id = 1)"); },
      "the first row");
  follow.source().exec("UPDATE t SET n = -1 WHERE id = 1; UPDATE t SET n = 1 WHERE id = 3999");
  follow.await_caught_up(*run);
  follow.copy().expect_same("TABLE t");
  follow.expect_switch(*run);
}

TEST(FollowRules, FencesARunThatWokeUpWithAnOldStateInItsHands) {
  FollowTrial follow;
  follow.make();
  const auto first = follow.start();
  follow.await_caught_up(*first);
  Db blocker(follow.copy().trial().dsn());
  blocker.exec("BEGIN; SELECT FROM t WHERE id = 2 FOR UPDATE");
  follow.source().exec("UPDATE t SET note = 'old state' WHERE id = 2");
  await_blocked(follow.target(), *first);
  first->signal(SIGSTOP);
  blocker.exec("COMMIT");
  follow.source().exec("UPDATE t SET note = 'new state' WHERE id = 2");
  follow.target().exec("UPDATE pgsluice.run SET lease_until = now() - interval '1 s' WHERE ended_at IS NULL");
  const auto second = follow.start();
  follow.await_caught_up(*second);
  first->signal(SIGCONT);
  EXPECT_EQ(first->wait(2 * kPatience).code, 11) << first->out() << first->err();
  follow.copy().expect_same("TABLE t");
  follow.expect_switch(*second);
}

TEST(FollowRules, TriesARowAgainThatARowOfTheTargetKeepsOut) {
  FollowTrial follow;
  follow.copy().both("CREATE TABLE t (id int PRIMARY KEY, n int UNIQUE, note text)");
  follow.source().exec("INSERT INTO t SELECT g, g, 'row ' || g FROM generate_series(1, 500) g; ANALYZE t");
  follow.target().exec("INSERT INTO t VALUES (-1, 77, 'its own')");
  follow.job("on_conflict = \"update\"");
  const auto run = follow.start();
  follow.await_following(*run);
  wait_for(
      [&] {
        const auto warnings = follow.copy().trial().logged("warning");
        return !run->running() ||
               (!warnings.empty() && warnings.back().dump().find("tried again") != std::string::npos);
      },
      2 * kPatience, "a warning of the row");
  follow.target().exec("DELETE FROM t WHERE id = -1");
  follow.await_caught_up(*run);
  follow.copy().expect_same("TABLE t");
  follow.expect_switch(*run);
}

TEST(FollowRules, BringsUpALedgerThatKnowsNoFollows) {
  FollowTrial follow;
  follow.make();
  follow.copy().trial().job(
      "name = \"earlier\"\n[[step]]\nkind = \"sql\"\nname = \"make\"\nup = \"CREATE TABLE u ()\"\n");
  follow.copy().expect("run", 0);
  follow.target().exec("DROP TABLE pgsluice.follow; UPDATE pgsluice.meta SET schema_version = 8");
  follow.copy().expect("status", 0);
  follow.job();
  const auto run = follow.start();
  follow.await_following(*run);
  follow.expect_switch(*run);
  EXPECT_EQ(follow.target().number("SELECT schema_version FROM pgsluice.meta"), 9);
}

TEST(FollowRules, RefusesWhatItCannotFollow) {
  FollowTrial follow;
  const auto refused = [&](const std::string& why) {
    const auto done = follow.copy().trial().run();
    EXPECT_EQ(done.code(), 5) << done.out << done.err;
    EXPECT_THAT(refusal_of(done).message, HasSubstr(why));
    EXPECT_EQ(follow.queued(), -1);
  };
  follow.make();
  follow.target().exec("INSERT INTO t VALUES (-1, 0, 'its own')");
  refused("has rows already");
  follow.job("on_conflict = \"skip\"");
  refused("has rows already");
  follow.target().exec("DELETE FROM t; ALTER TABLE t DROP CONSTRAINT t_pkey");
  refused("has no unique key on");
  follow.target().exec("ALTER TABLE t ADD PRIMARY KEY (id)");
  follow.job("columns = { id = \"id + 1\" }");
  refused("is not copied as it is");
  follow.job();
  follow.target().exec("ALTER TABLE t ALTER n ADD GENERATED ALWAYS AS IDENTITY");
  refused("GENERATED ALWAYS outside the key");
  follow.target().exec("ALTER TABLE t ALTER n DROP IDENTITY");
  follow.source().exec("ALTER TABLE t SET UNLOGGED");
  refused("a crash would empty it");
  follow.source().exec(
      "DROP TABLE t; CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL, note text) PARTITION BY RANGE (id)");
  refused("cannot be followed");
}

TEST(FollowRules, LeavesWhatWhereLeavesOut) {
  FollowTrial follow;
  follow.make();
  follow.job("columns = { note = \"upper(note)\" }", ", where = \"n < 5\"");
  const auto run = follow.start();
  follow.await_caught_up(*run);
  follow.source().exec("UPDATE t SET n = 9 WHERE id < 50; UPDATE t SET n = 1 WHERE n = 6 AND id > 1000");
  follow.await_caught_up(*run);
  follow.copy().expect_same("SELECT id, n, upper(note) FROM t WHERE n < 5", "TABLE t");
  follow.expect_switch(*run);
}

}  // namespace
}  // namespace pgsluice::test
