// Goal: a switch loses nothing that is committed before it, lets writers in again if it cannot be made, and
// is over or undone wherever the program dies in it. Method: the real program, killed at named places.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/follow_trial.hpp"
#include "support/environment.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

using testing::HasSubstr;

TEST(Switch, WaitsForWritersInFlight) {
  FollowTrial follow;
  follow.make();
  const auto run = follow.start();
  follow.await_following(*run);
  Db writer(follow.copy().source_dsn());
  writer.exec("BEGIN; UPDATE t SET note = 'in flight' WHERE id = 5");
  Process asked(follow.copy().trial().command("switch"));
  wait_for([&] { return !follow.copy().trial().logged("batch_failed").empty() || !asked.running(); },
           "an attempt to lock the source's table");
  ASSERT_TRUE(asked.running()) << asked.out() << asked.err();
  writer.exec("COMMIT");
  EXPECT_EQ(asked.wait(2 * kPatience).code, 0) << asked.out() << asked.err();
  EXPECT_EQ(run->wait(2 * kPatience).code, 0) << run->out() << run->err();
  follow.copy().expect_same("TABLE t");
}

TEST(Switch, LetsWritersGoOnIfThePauseIsTooShort) {
  FollowTrial follow;
  follow.make();
  const auto run = follow.start();
  follow.await_following(*run);
  const auto asked = follow.ask_switch("1ms");
  EXPECT_EQ(asked.code(), 75) << asked.out << asked.err;
  EXPECT_THAT(refusal_of(asked).message, HasSubstr("writers go on"));
  follow.source().exec("UPDATE t SET n = n + 1");
  follow.expect_switch(*run);
  follow.copy().expect_same("TABLE t");
}

TEST(Switch, IsRefusedWhileRowsDiffer) {
  FollowTrial follow;
  follow.make();
  const auto run = follow.start();
  follow.await_following(*run);
  follow.target().exec("UPDATE t SET n = 100 WHERE id = 77; DELETE FROM t WHERE id = 78");
  const auto asked = follow.ask_switch();
  EXPECT_EQ(asked.code(), 4) << asked.out << asked.err;
  EXPECT_THAT(refusal_of(asked).message, HasSubstr("row 77 is different"));
  follow.source().exec("UPDATE t SET n = n WHERE id IN (77, 78)");
  follow.expect_switch(*run);
  follow.copy().expect_same("TABLE t");
}

TEST(Switch, IsRefusedForRowsThatOnlyTheTargetHas) {
  FollowTrial follow;
  follow.make();
  const auto run = follow.start();
  follow.await_following(*run);
  follow.target().exec("INSERT INTO t VALUES (-7, 0, 'from elsewhere')");
  const auto asked = follow.ask_switch("30s");
  EXPECT_EQ(asked.code(), 4) << asked.out << asked.err;
  EXPECT_THAT(refusal_of(asked).message, HasSubstr("that the source has not"));
  follow.target().exec("DELETE FROM t WHERE id = -7");
  follow.expect_switch(*run);
}

TEST(Switch, IsMadeOrUndoneWhereverTheProgramDies) {
  for (const std::string place :
       {"switch_locked", "switch_drained", "switch_before_commit", "switch_committed"}) {
    SCOPED_TRACE(place);
    FollowTrial follow;
    follow.make();
    const auto run = follow.start(place);
    follow.await_following(*run);
    const auto asked = follow.ask_switch("30s");
    EXPECT_EQ(asked.code(), 1) << asked.out << asked.err;
    EXPECT_EQ(run->wait(2 * kPatience).signal, SIGKILL);
    if (place == "switch_committed") {
      EXPECT_THROW(follow.source().exec("DELETE FROM t WHERE id = 3"), std::exception);
      follow.copy().expect("run", 0);
    } else {
      follow.source().exec("DELETE FROM t WHERE id = 3; UPDATE t SET n = n + 1");
      const auto next = follow.start();
      wait_for([&] { return !next->running() || follow.queued() == 0; }, "the next run");
      follow.expect_switch(*next);
    }
    follow.copy().expect_same("TABLE t");
    follow.expect_removed(false);
  }
}

TEST(Switch, IsNotTakenBackByARollbackThatTheRunCouldNotTell) {
  FollowTrial follow;
  follow.make();
  const auto run = follow.start("switch_committed");
  follow.await_following(*run);
  follow.ask_switch("30s");
  EXPECT_EQ(run->wait(2 * kPatience).signal, SIGKILL);
  const auto back = follow.copy().trial().verb("rollback");
  EXPECT_EQ(back.code(), 5) << back.out << back.err;
  EXPECT_THAT(refusal_of(back).message, HasSubstr("is switched"));
  EXPECT_THROW(follow.source().exec("DELETE FROM t WHERE id = 3"), std::exception);
  follow.copy().expect("run", 0);
  follow.copy().expect_same("TABLE t");
  follow.expect_removed(false);
}

TEST(Switch, CanBeMadeWhereverAnEarlierRunDied) {
  for (const std::string place : {"after_step:1", "after_step:2", "after_step:3"}) {
    SCOPED_TRACE(place);
    FollowTrial follow;
    follow.make();
    const bool is_while_switching = place == "after_step:3";
    const auto died = follow.start(place);
    if (is_while_switching) {
      follow.await_following(*died);
      follow.ask_switch("30s");
    }
    EXPECT_EQ(died->wait(2 * kPatience).signal, SIGKILL) << died->out() << died->err();
    if (is_while_switching) {
      follow.copy().expect("run", 0);
    } else {
      const auto run = follow.start();
      follow.await_following(*run);
      follow.expect_switch(*run);
    }
    follow.copy().expect_same("TABLE t");
    follow.expect_removed(false);
  }
}

TEST(Switch, OutlivesACrashOfASourceThatCommitsAsynchronously) {
  PrivateServer there({.settings = {{"synchronous_commit", "off"}, {"wal_writer_delay", "10s"}}});
  PrivateServer here;
  FollowTrial follow(there, here);
  follow.make();
  const auto run = follow.start("switch_committed");
  follow.await_following(*run);
  follow.ask_switch("30s");
  EXPECT_EQ(run->wait(2 * kPatience).signal, SIGKILL);
  there.crash_and_restart();
  Db source(follow.copy().source_dsn());
  EXPECT_THROW(source.exec("DELETE FROM t WHERE id = 3"), std::exception);
}

TEST(Switch, NeedsALiveRunThatFollows) {
  FollowTrial follow;
  follow.make();
  EXPECT_EQ(follow.ask_switch().code(), 10);
  const auto run = follow.start();
  follow.await_following(*run);
  follow.stop(*run);
  const auto asked = follow.ask_switch();
  EXPECT_EQ(asked.code(), 5) << asked.out << asked.err;
  EXPECT_THAT(refusal_of(asked).message, HasSubstr("no run of job"));
  const auto next = follow.start();
  wait_for([&] { return !next->running() || follow.ask_switch("30s").code() == 0; }, "the switch");
  EXPECT_EQ(next->wait(2 * kPatience).code, 0) << next->out() << next->err();
  follow.copy().expect_same("TABLE t");
}

TEST(Switch, LetsSequencesGoOnBehindTheSource) {
  FollowTrial follow;
  follow.copy().both(
      "CREATE TABLE t (id serial PRIMARY KEY, \"od\"\"d\" int GENERATED BY DEFAULT AS IDENTITY, note text)");
  follow.source().exec("INSERT INTO t (note) SELECT 'row ' || g FROM generate_series(1, 500) g; ANALYZE t");
  follow.job();
  const auto run = follow.start();
  follow.await_following(*run);
  follow.source().exec(
      "INSERT INTO t (note) SELECT 'later' FROM generate_series(1, 20); DELETE FROM t WHERE id > 510");
  follow.expect_switch(*run);
  follow.target().exec("INSERT INTO t (note) VALUES ('next')");
  EXPECT_EQ(follow.target().rows("SELECT id, \"od\"\"d\" FROM t WHERE note = 'next'"),
            (std::vector<std::vector<std::string>>{{"521", "521"}}));
}

TEST(Switch, GoesBackBeforeItAndNotAfter) {
  FollowTrial follow;
  follow.make();
  const auto undone = follow.start();
  follow.await_following(*undone);
  follow.stop(*undone);
  follow.copy().expect("rollback", 0);
  follow.expect_removed(true);
  follow.source().exec("UPDATE t SET n = n + 1; DELETE FROM t WHERE id = 1");
  follow.target().exec("TRUNCATE t");
  const auto run = follow.start();
  follow.await_following(*run);
  follow.expect_switch(*run);
  follow.copy().expect_same("TABLE t");
  const auto back = follow.copy().trial().verb("rollback");
  EXPECT_EQ(back.code(), 5) << back.out << back.err;
  EXPECT_THAT(refusal_of(back).message, HasSubstr("is switched"));
}

}  // namespace
}  // namespace pgsluice::test
