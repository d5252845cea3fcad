// Goal: a copy that follows its source brings every change that is committed before the switch, and none can
// be made after it. Method: the real program between two databases while others write, and both sides
// compared as text.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/follow_trial.hpp"
#include "support/environment.hpp"
#include "support/pgbench.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

using testing::HasSubstr;

/// What the server says of a statement that it refuses; empty: it does not.
std::string refusal(Db& db, const std::string& sql) try {
  db.exec(sql);
  return {};
} catch (const std::exception& e) {
  return e.what();
}

TEST(Follow, BringsEveryChangeBesideWritersUntilTheSwitch) {
  FollowTrial follow;
  follow.make(3'000);
  Pgbench writers({.dsn = follow.copy().source_dsn(),
                   .script = kFollowTraffic,
                   .clients = 2,
                   .variables = {{"rows", "3000"}}});
  const auto run = follow.start();
  follow.await_following(*run);
  const auto asked = follow.ask_switch("30s");
  EXPECT_EQ(asked.code(), 0) << asked.out << asked.err;
  const auto traffic = writers.stop();
  EXPECT_GT(traffic.transactions, 0);
  EXPECT_EQ(run->wait(2 * kPatience).code, 0) << run->out() << run->err();
  follow.copy().expect_same("TABLE t");
  follow.expect_removed(false);
}

TEST(Follow, RefusesEveryWriteAtTheSourceAfterTheSwitch) {
  FollowTrial follow;
  follow.make();
  const auto run = follow.start();
  follow.await_following(*run);
  follow.expect_switch(*run);
  for (const std::string write :
       {"INSERT INTO t VALUES (-1, 1, '')", "UPDATE t SET n = 0 WHERE id = 1", "DELETE FROM t WHERE id = 1",
        "TRUNCATE t", "SET session_replication_role = replica; DELETE FROM t"}) {
    EXPECT_THAT(refusal(follow.source(), "BEGIN; " + write), HasSubstr("has moved")) << write;
    follow.source().exec("ROLLBACK; SET session_replication_role = origin");
  }
  follow.copy().expect_same("TABLE t");
}

}  // namespace
}  // namespace pgsluice::test
