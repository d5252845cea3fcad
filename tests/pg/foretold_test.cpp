// Goal: what a run foretells comes true, sampling leaves nothing but dead rows, and where it could do harm
// nothing is sampled.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/trial.hpp"
#include "support/environment.hpp"

namespace pgsluice::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Wide enough for a busy machine, and narrow enough for a wrong model.
constexpr double kRowsWithin = 5;
constexpr double kWalWithin = 25;
constexpr double kGrowthWithin = 25;

class ForetoldTest : public ::testing::Test {
 protected:
  ForetoldTest()
      : server_({.settings = {{"full_page_writes", "on"}, {"autovacuum", "off"}}}), trial_(server_) {}

  Db& db() { return trial_.db(); }

  /// Large enough to be sampled: about 1,600 pages.
  void make_users(const std::string& with = "") {
    db().exec(
        "CREATE TABLE users (id bigint PRIMARY KEY, name text, made timestamptz, plan int, done boolean)" +
        with +
        "; INSERT INTO users SELECT i, 'Some Name ' || i, now() + i * interval '1 minute', i % 7, NULL "
        "FROM generate_series(1, 300000) i; CREATE INDEX ON users (made)");
    db().exec("VACUUM (FREEZE, ANALYZE) users");
    db().exec("CHECKPOINT");
  }

  Json planned(const std::vector<std::string>& args = {}) {
    const auto answer = trial_.verb("plan", args);
    EXPECT_EQ(answer.code(), 0) << answer.err;
    return Json::parse(answer.out).at("steps").at(0);
  }
  Json status() {
    const auto answer = trial_.verb("status");
    const auto json = Json::parse(answer.out);
    return (json.contains("jobs") ? json.at("jobs").at(0) : json).at("steps").at(0);
  }

  static double error_of(const Json& foretold, const char* quantity) {
    const auto& error = foretold.at(quantity).at("error_percent");
    return error.is_null() ? 1e9 : std::abs(error.get<double>());
  }
  static void expect_came_true(const Json& foretold) {
    SCOPED_TRACE(foretold.dump(1));
    ASSERT_TRUE(foretold.at("is_sampled"));
    EXPECT_LT(error_of(foretold, "rows"), kRowsWithin);
    EXPECT_LT(error_of(foretold, "wal_bytes"), kWalWithin);
    const auto sum = [&](const char* part) {
      return foretold.at("heap_bytes").at(part).get<double>() +
             foretold.at("index_bytes").at(part).get<double>();
    };
    const double error = 100 * std::abs(sum("likely") - sum("came_true")) / sum("came_true");
    EXPECT_LT(error, kGrowthWithin);
    EXPECT_GT(foretold.at("seconds").at("came_true").get<double>(), 0);
  }

  PrivateServer server_;
  Trial trial_;
};

TEST_F(ForetoldTest, ARewriteOfEveryRowComesTrue) {
  make_users();
  trial_.job(backfill_job("users", "plan = \"plan + 1\""));
  ASSERT_EQ(trial_.run().code(), 0);
  expect_came_true(status().at("foretold"));
}

TEST_F(ForetoldTest, AnIndexedColumnOfSomeRowsComesTrue) {
  make_users();
  db().exec("CREATE INDEX ON users (plan)");
  trial_.job(backfill_job("users", "plan = \"99\"", "where = \"plan < 3\""));
  ASSERT_EQ(trial_.run().code(), 0);
  expect_came_true(status().at("foretold"));
}

TEST_F(ForetoldTest, AnInterleavedWalkComesTrue) {
  make_users();
  trial_.job(backfill_job("users", "done = \"true\"", "where = \"done IS NULL\""));
  ASSERT_THAT(planned({"--no-sample"}).at("walk").get<std::string>(), HasSubstr("interleaved"));
  ASSERT_EQ(trial_.run().code(), 0);
  expect_came_true(status().at("foretold"));
}

TEST_F(ForetoldTest, APlanChangesNoRow) {
  make_users();
  const std::string rows = "SELECT md5(string_agg(u::text || ctid, ',' ORDER BY id)) FROM users u";
  const auto before = db().text(rows);
  trial_.job(backfill_job("users", "plan = \"plan + 1\""));
  const auto step = planned();
  EXPECT_TRUE(step.at("foretold").at("is_sampled"));
  EXPECT_THAT(step.at("notes").dump(), HasSubstr("rolled back"));
  EXPECT_EQ(db().text(rows), before);
  EXPECT_TRUE(trial_.is_untouched());
  EXPECT_EQ(db().number("SELECT count(*) FROM pg_class WHERE relname LIKE 'pgsluice%'"), 0);
  EXPECT_THAT(trial_.run({}).err, Not(HasSubstr("error")));
}

TEST_F(ForetoldTest, ASampleLeavesAtMostItsBoundOfDeadRows) {
  make_users();
  trial_.job(backfill_job("users", "plan = \"plan + 1\""));
  planned();
  db().exec("CREATE EXTENSION pgstattuple");
  const auto dead = db().number("SELECT dead_tuple_count FROM pgstattuple('users')");
  EXPECT_GT(dead, 0);
  EXPECT_LE(dead, 20'000);
}

TEST_F(ForetoldTest, WithoutSamplesNothingIsWritten) {
  make_users();
  trial_.job(backfill_job("users", "plan = \"plan + 1\""));
  const auto position = [&] { return db().text("SELECT pg_current_wal_insert_lsn()"); };
  planned({"--no-sample"});  // what a first look at the table writes, such as hint bits
  db().exec("SELECT pg_switch_wal()");
  const auto size = db().number("SELECT pg_total_relation_size('users')");
  const auto before = position();
  const auto step = planned({"--no-sample"});
  EXPECT_FALSE(step.at("foretold").at("is_sampled"));
  EXPECT_EQ(db().number("SELECT pg_total_relation_size('users')"), size);
  EXPECT_LT(db().number("SELECT pg_wal_lsn_diff('" + position() + "', '" + before + "')::bigint"), 10'000);
}

TEST_F(ForetoldTest, ATriggerIsNotFiredForAnEstimate) {
  make_users();
  db().exec(
      "CREATE SEQUENCE fired; CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS "
      "'begin perform nextval(''fired''); return null; end';"
      "CREATE TRIGGER counts AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION f()");
  trial_.job(backfill_job("users", "plan = \"plan + 1\""));
  const auto step = planned();
  EXPECT_FALSE(step.at("foretold").at("is_sampled"));
  EXPECT_THAT(step.at("foretold").at("basis").get<std::string>(), HasSubstr("trigger \"counts\""));
  EXPECT_FALSE(db().yes("SELECT is_called FROM fired"));
}

TEST_F(ForetoldTest, ASequenceIsNotAdvancedForAnEstimate) {
  make_users();
  db().exec("CREATE SEQUENCE numbers");
  trial_.job(backfill_job("users", "plan = \"nextval('numbers')::int\""));
  const auto step = planned();
  EXPECT_THAT(step.at("foretold").at("basis").get<std::string>(), HasSubstr("function nextval is volatile"));
  EXPECT_FALSE(db().yes("SELECT is_called FROM numbers"));
}

TEST_F(ForetoldTest, AReadOnlyRoleSamplesNothing) {
  make_users();
  const auto role = trial_.make_role("reader");
  db().exec("GRANT SELECT, UPDATE ON users TO " + role + "; ALTER ROLE " + role +
            " SET default_transaction_read_only = on");
  trial_.connect_as(trial_.dsn(role));
  trial_.job(backfill_job("users", "plan = \"plan + 1\""));
  EXPECT_THAT(planned().at("foretold").at("basis").get<std::string>(),
              HasSubstr("this session is read-only"));
}

TEST_F(ForetoldTest, ARunThatGoesOnKeepsWhatWasForetold) {
  make_users();
  trial_.job(backfill_job("users", "plan = \"plan + 1\""));
  auto first = trial_.command("run");
  first.env["PGSLUICE_FAILPOINT"] = "after_commit:3";
  EXPECT_EQ(run(first).exit, (Exit{-1, SIGKILL}));
  const auto foretold = status().at("foretold");
  ASSERT_TRUE(foretold.at("is_sampled"));
  ASSERT_EQ(trial_.run().code(), 0);
  const auto after = status().at("foretold");
  EXPECT_EQ(after.at("rows").at("likely"), foretold.at("rows").at("likely"));
  EXPECT_LT(error_of(after, "rows"), kRowsWithin);
  EXPECT_TRUE(after.at("seconds").at("came_true").is_null()) << "two runs, with a gap between them";
}

TEST_F(ForetoldTest, StatusShowsTheErrorInPercent) {
  make_users();
  trial_.job(backfill_job("users", "plan = \"plan + 1\""));
  ASSERT_EQ(trial_.run().code(), 0);
  const auto text = run(trial_.text_command("status")).out;
  EXPECT_THAT(text, HasSubstr("CAME TRUE"));
  EXPECT_THAT(text, HasSubstr("rows to change"));
  EXPECT_THAT(text, HasSubstr(" %"));
}

TEST_F(ForetoldTest, ALedgerOfTheFormatBeforeIsBroughtUp) {
  make_users();
  trial_.job(backfill_job("users", "plan = \"plan + 1\"", "where = \"plan = 3\""));
  ASSERT_EQ(trial_.run().code(), 0);
  db().exec("DROP TABLE pgsluice.estimate, pgsluice.image; UPDATE pgsluice.meta SET schema_version = 6");
  EXPECT_TRUE(status().at("foretold").is_null()) << "status reads an older ledger";
  ASSERT_EQ(trial_.run().code(), 0);
  EXPECT_EQ(db().number("SELECT schema_version FROM pgsluice.meta"), 9);
  EXPECT_EQ(db().number("SELECT count(*) FROM pgsluice.estimate"), 0) << "the step was done before";
}

}  // namespace
}  // namespace pgsluice::test
