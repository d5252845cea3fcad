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

TEST(Follow, FindsRowsAgainByEveryKeyThatOrders) {
  const std::vector<std::string> keys{
      "id uuid PRIMARY KEY",
      "id text PRIMARY KEY",
      "id numeric PRIMARY KEY",
      "id timestamptz PRIMARY KEY",
      "id char(12) PRIMARY KEY",
      "a text, id int, \"odd$1 \"\"x\" mood DEFAULT 'a b', PRIMARY KEY (a, id, \"odd$1 \"\"x\")"};
  const std::vector<std::string> values{"md5(g::text)::uuid, g",
                                        "E'k\\\\\\t''\"{},' || g, g",
                                        "g / 4.0, g",
                                        "timestamptz '0003-01-01 BC' + g * interval '1 day', g",
                                        "'c ' || g, g",
                                        "E'\\\\,' || g % 3, g, 'a b', g"};
  for (std::size_t i = 0; i < keys.size(); ++i) {
    SCOPED_TRACE(keys[i]);
    FollowTrial follow;
    follow.copy().both("CREATE TYPE mood AS ENUM ('z', 'a b'); CREATE TABLE t (" + keys[i] + ", n int)");
    follow.source().exec("INSERT INTO t SELECT " + values[i] + " FROM generate_series(1, 300) g; ANALYZE t");
    follow.job();
    const auto run = follow.start();
    follow.await_caught_up(*run);
    follow.source().exec(
        "SET datestyle = 'German'; SET timezone = 'America/St_Johns'; UPDATE t SET n = -n WHERE n < 50");
    follow.source().exec("DELETE FROM t WHERE n BETWEEN 60 AND 90; INSERT INTO t SELECT " + values[i] +
                         " FROM generate_series(301, 330) g");
    follow.await_caught_up(*run);
    follow.copy().expect_same("TABLE t");
    follow.expect_switch(*run);
  }
}

// COPY writes these in another way than their text: an update must not become DELETE and INSERT.
TEST(Follow, UpdatesRowsInPlaceForEveryWayToWriteAKey) {
  const std::vector<std::vector<std::string>> keys{
      {"a inet", "a", "('10.0.0.0'::inet + g)"},
      {"a char(12)", "a", "'c ' || g"},
      {"a boolean, b int", "a, b", "g % 2 = 0, g"},
      {"a bytea", "a", "decode(lpad(to_hex(g), 8, '0'), 'hex')"},
      {"a \"char\", b money, c interval", "a, b, c", "'x', g::money, g * interval '25 h'"}};
  for (const auto& key : keys) {
    SCOPED_TRACE(key[0]);
    FollowTrial follow;
    follow.source().exec("CREATE TABLE t (" + key[0] + ", n int, PRIMARY KEY (" + key[1] +
                         ")); INSERT INTO t SELECT " + key[2] +
                         ", g FROM generate_series(1, 200) g; ANALYZE t");
    follow.target().exec("CREATE TABLE t (" + key[0] + ", n int, ours text DEFAULT 'new', PRIMARY KEY (" +
                         key[1] + ")); CREATE TABLE child (" + key[0] + ", FOREIGN KEY (" + key[1] +
                         ") REFERENCES t ON DELETE CASCADE)");
    follow.job();
    const auto run = follow.start();
    follow.await_caught_up(*run);
    follow.target().exec("UPDATE t SET ours = 'kept'; INSERT INTO child SELECT " + key[1] + " FROM t");
    follow.source().exec("UPDATE t SET n = -n WHERE n % 2 = 0; DELETE FROM t WHERE n = 7");
    follow.await_caught_up(*run);
    EXPECT_EQ(follow.target().number("SELECT count(*) FROM t WHERE ours = 'kept' AND n < 0"), 100);
    EXPECT_EQ(follow.target().number("SELECT count(*) FROM child"), 199);
    follow.expect_switch(*run);
    follow.copy().expect_same("SELECT " + key[1] + ", n FROM t");
  }
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
