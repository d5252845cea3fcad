// Goal: a copy that follows brings every change exactly once and in its last state, whatever dies: the
// program at any place, a backend, a server on either side. Method: the real program beside pgbench, killed
// again and again; both sides compared after the switch.
#include <gtest/gtest.h>

#include "pg/follow_trial.hpp"
#include "support/environment.hpp"
#include "support/pgbench.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

constexpr int kRows = 2'000;

Pgbench writers(FollowTrial& follow) {
  return Pgbench({.dsn = follow.copy().source_dsn(),
                  .script = kFollowTraffic,
                  .clients = 2,
                  .rate = 100,
                  .max_tries = 100,
                  .variables = {{"rows", std::to_string(kRows)}}});
}

void switch_when_possible(FollowTrial& follow, Process& run) {
  Finished asked;
  wait_for(
      [&] {
        asked = follow.ask_switch("30s");
        return asked.code() == 0 || !run.running();
      },
      2 * kPatience, "the switch");
  EXPECT_EQ(asked.code(), 0) << asked.out << asked.err;
  EXPECT_EQ(run.wait(2 * kPatience).code, 0) << run.out() << run.err();
}

TEST(FollowOnce, HoldsAfterSigkillAtEveryNamedFailpointBesideWriters) {
  FollowTrial follow;
  follow.make(kRows);
  auto traffic = writers(follow);
  std::vector<std::string> places{"follow_installed", "copy_read:7"};
  for (int i = 0; i < (long_run() ? 5 : 1); ++i) {
    for (const std::string place :
         {"follow_read", "follow_written", "follow_applied", "follow_acknowledged"}) {
      places.push_back(place);
      places.push_back(place + ":3");
    }
  }
  for (const auto& place : places) {
    SCOPED_TRACE(place);
    const auto run = follow.start(place);
    EXPECT_EQ(run->wait(2 * kPatience).signal, SIGKILL) << run->out() << run->err();
  }
  const auto run = follow.start();
  switch_when_possible(follow, *run);
  traffic.stop();
  follow.copy().expect_same("TABLE t");
  follow.expect_removed(false);
}

TEST(FollowOnce, HoldsWhenBackendsOfEitherSideEnd) {
  FollowTrial follow;
  follow.make(kRows);
  auto traffic = writers(follow);
  const auto run = follow.start();
  follow.await_following(*run);
  for (const std::string who : {"%steps", "%source follow", "%steps", "%source follow"}) {
    const auto before = follow.target().number("SELECT sum(batches) FROM pgsluice.range");
    follow.source().exec(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'pgsluice" + who +
        "'");
    wait_for(
        [&] {
          return !run->running() ||
                 follow.target().number("SELECT sum(batches) FROM pgsluice.range") > before + 3;
        },
        "more changes to be brought");
  }
  switch_when_possible(follow, *run);
  traffic.stop();
  follow.copy().expect_same("TABLE t");
}

TEST(FollowOnce, HoldsThroughACrashOfEitherServer) {
  PrivateServer there;
  PrivateServer here;
  FollowTrial follow(there, here);
  follow.make(kRows);
  const auto run = follow.start();
  follow.await_following(*run);
  for (PrivateServer* crashed : {&there, &here, &there, &here}) {
    SCOPED_TRACE(crashed == &there ? "source" : "target");
    {
      Db source(follow.copy().source_dsn());
      source.exec(
          "UPDATE t SET n = n + 1 WHERE id % 3 = 0; UPDATE t SET id = id + 100000 WHERE id IN (SELECT id "
          "FROM "
          "t ORDER BY id LIMIT 20)");
      source.exec("DELETE FROM t WHERE id % 97 = 5");
    }
    crashed->crash_and_restart();
    ASSERT_TRUE(run->running()) << run->out() << run->err();
  }
  switch_when_possible(follow, *run);
  Db source(follow.copy().source_dsn());
  Db target(follow.copy().trial().dsn());
  const std::string query = "SELECT t::text FROM t ORDER BY id";
  EXPECT_EQ(source.column(query), target.column(query));
}

TEST(FollowOnce, HoldsForARunStoppedPastItsLease) {
  FollowTrial follow;
  follow.make(kRows);
  auto traffic = writers(follow);
  const auto first = follow.start();
  follow.await_following(*first);
  first->signal(SIGSTOP);
  const auto second = follow.start();
  follow.target().exec(
      "UPDATE pgsluice.run SET lease_until = now() - interval '1 s' WHERE ended_at IS NULL AND "
      "started_at = (SELECT min(started_at) FROM pgsluice.run)");
  wait_for(
      [&] {
        return !second->running() ||
               follow.target().yes(
                   "SELECT EXISTS (SELECT FROM pgsluice.range r JOIN pgsluice.step s USING (step_id) "
                   "WHERE s.part = 'follow' AND r.run_id = (SELECT run_id FROM pgsluice.run ORDER "
                   "BY started_at DESC LIMIT 1))");
      },
      "the second run to take over");
  first->signal(SIGCONT);
  EXPECT_NE(first->wait(2 * kPatience).code, 0);
  switch_when_possible(follow, *second);
  traffic.stop();
  follow.copy().expect_same("TABLE t");
}

}  // namespace
}  // namespace pgsluice::test
