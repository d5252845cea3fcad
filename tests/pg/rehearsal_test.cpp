// Goal: a rehearsal finds what would fail late, with act, statement and the server's words, before anything
// is written; it takes no lock beyond ACCESS SHARE on real tables and leaves no trace. Method: the rehearsal
// by itself, without the checks that come before it, on tables with one trouble each.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kinds/retype/graph/retype_facts.hpp"
#include "kinds/retype/rehearsal/rehearsal.hpp"
#include "pg/connection/transaction.hpp"
#include "pg/engine_jobs.hpp"
#include "support/shared_server.hpp"

namespace pgsluice::test {
namespace {

namespace rt = steps::retype;

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kEverything =
    "SELECT (SELECT count(*) FROM pg_class) || ' ' || (SELECT count(*) FROM pg_proc) || ' ' || (SELECT "
    "count(*) FROM "
    "pg_namespace) || ' ' || (SELECT count(*) FROM pg_trigger) || ' ' || (SELECT count(*) FROM "
    "pg_constraint)";

class RehearsalTest : public testing::Test {
 protected:
  RehearsalTest() {
    db_.exec(
        "CREATE TABLE users (id serial PRIMARY KEY, name text, at timestamptz DEFAULT now()); INSERT INTO "
        "users (name) "
        "SELECT 'user ' || g FROM generate_series(1, 500) g; CREATE TABLE notes (id int PRIMARY KEY, user_id "
        "int NOT NULL "
        "REFERENCES users, up int REFERENCES notes DEFERRABLE INITIALLY DEFERRED); INSERT INTO notes SELECT "
        "g, g % 500 + "
        "1, g - 1 FROM generate_series(2, 900) g WHERE g > 2; INSERT INTO notes VALUES (2, 3)");
  }

  rt::Rehearsal rehearse(const std::string& lines) {
    const auto job = job_of("name = \"r\"\n\n[[step]]\nkind = \"retype\"\nname = \"ids\"\n" + lines);
    const auto& step = *job.steps.front().as<RetypeStep>();
    auto session = session_on(dsn_);
    const auto retype = engine::read_retype(session, step, {"r", "ids"});
    return rt::rehearse(session, retype, [&](pg::Session& s, const RetypeStep& likeness) {
      return engine::read_retype_inside(s, likeness, retype.owner);
    });
  }
  rt::Rehearsal rehearse_keys(const std::string& lines) {
    return rehearse("tables = [\"users\", \"notes\"]\nto = \"uuid\"\n" + lines);
  }
  void expect_fine(const rt::Rehearsal& rehearsal) {
    EXPECT_THAT(rehearsal.refused, IsEmpty())
        << rehearsal.refused.front().act << ": " << rehearsal.refused.front().message;
    EXPECT_EQ(rehearsal.cut_short, "");
    EXPECT_THAT(rehearsal.remarks, IsEmpty());
    EXPECT_GT(rehearsal.statements, 10);
  }
  /// The one refusal of a rehearsal.
  static std::string said(const rt::Rehearsal& rehearsal) {
    if (rehearsal.refused.empty()) return "nothing; " + rehearsal.cut_short;
    const auto& one = rehearsal.refused.front();
    return one.act + " | " + one.statement + " | " + one.message;
  }

  std::string dsn_ = fresh_database();
  Db db_{dsn_};
};

TEST_F(RehearsalTest, GoesThroughEveryActWithEveryMappingAndLeavesNoTrace) {
  const auto before = db_.text(kEverything);
  const auto last = db_.text("SELECT last_value FROM users_id_seq");
  for (const char* mapping :
       {"mapping = \"embed\"", "mapping = \"random\"",
        "using = \"('00000000-0000-4000-8000-' || lpad(id::text, 12, '0'))::uuid\"\nnew_ids = "
        "\"gen_random_uuid()\""})
    expect_fine(rehearse_keys(mapping));
  expect_fine(rehearse("tables = [\"users\"]\nto = \"uuid\"\nmapping = \"v7\"\nfrom = \"at\"\n"));
  EXPECT_EQ(db_.text(kEverything), before);
  EXPECT_EQ(db_.text("SELECT last_value FROM users_id_seq"), last);
}

TEST_F(RehearsalTest, TakesNoLockThatAnybodyCouldMindOrHaveInItsWay) {
  Db other(dsn_);
  other.exec("BEGIN; LOCK TABLE users, notes IN EXCLUSIVE MODE");  // leaves room for ACCESS SHARE alone
  expect_fine(rehearse_keys("mapping = \"embed\""));
  other.exec("ROLLBACK");
}

TEST_F(RehearsalTest, FiresNoTriggerOfTheApplication) {
  db_.exec(
      "CREATE SEQUENCE fired; CREATE FUNCTION fire() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM "
      "nextval('fired'); RETURN NEW; END$$; CREATE TRIGGER moved BEFORE UPDATE OF user_id ON notes FOR EACH "
      "ROW EXECUTE "
      "FUNCTION fire(); CREATE TRIGGER new BEFORE INSERT OR UPDATE ON notes FOR EACH ROW WHEN (NEW.user_id "
      "IS NOT NULL) "
      "EXECUTE FUNCTION fire()");
  expect_fine(rehearse_keys("mapping = \"embed\""));
  EXPECT_FALSE(db_.yes("SELECT is_called FROM fired"));
}

TEST_F(RehearsalTest, FindsADefaultThatTheServerDoesNotKnow) {
  EXPECT_THAT(said(rehearse_keys("mapping = \"embed\"\nnew_ids = \"no_such_function()\"")),
              AllOf(HasSubstr("finish columns of \"public\".\"users\""),
                    HasSubstr("ALTER COLUMN \"id_new\" SET DEFAULT"),
                    HasSubstr("no_such_function() does not exist")));
}

TEST_F(RehearsalTest, FindsAnExpressionThatMeansNothing) {
  EXPECT_THAT(
      said(rehearse(
          "table = \"notes\"\ncolumn = \"up\"\nto = \"bigint\"\nusing = \"lower(up)\"\nback = \"1\"")),
      HasSubstr("function lower(integer) does not exist"));
}

TEST_F(RehearsalTest, FindsAViewThatMeansNothingForTheNewType) {
  db_.exec("CREATE VIEW late AS SELECT * FROM users WHERE id > 100");
  EXPECT_THAT(said(rehearse_keys("mapping = \"embed\"")),
              AllOf(HasSubstr("cut-over"), HasSubstr("operator does not exist: uuid > integer")));
}

TEST_F(RehearsalTest, FindsAPolicyAndATriggersConditionThatMeanNothing) {
  db_.exec("CREATE POLICY own ON users USING (id = 17)");
  EXPECT_THAT(said(rehearse_keys("mapping = \"embed\"")),
              HasSubstr("operator does not exist: uuid = integer"));
  db_.exec(
      "DROP POLICY own ON users; CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; "
      "END'; CREATE "
      "TRIGGER t BEFORE UPDATE ON notes FOR EACH ROW WHEN (NEW.user_id > 0) EXECUTE FUNCTION f()");
  EXPECT_THAT(said(rehearse_keys("mapping = \"embed\"")),
              HasSubstr("operator does not exist: uuid > integer"));
}

TEST_F(RehearsalTest, FindsAnIndexAndACheckThatMeanNothing) {
  db_.exec("CREATE INDEX even ON users ((id % 2))");
  EXPECT_THAT(said(rehearse_keys("mapping = \"embed\"")),
              AllOf(HasSubstr("build index \"even_new\""), HasSubstr("uuid % integer")));
  db_.exec("DROP INDEX even; ALTER TABLE users ADD CHECK (id > 0)");
  EXPECT_THAT(said(rehearse_keys("mapping = \"embed\"")),
              AllOf(HasSubstr("add checks"), HasSubstr("uuid > integer")));
}

TEST_F(RehearsalTest, FindsNothingWhereLateFailuresWereMended) {
  db_.exec(
      "CREATE EXTENSION citext; CREATE TYPE mood AS ENUM ('user'); CREATE DOMAIN short AS varchar(40); "
      "CREATE INDEX ON users "
      "(name); UPDATE users SET at = 'infinity' WHERE id < 250");
  for (const char* to : {"citext", "short", "varchar(20)"})
    expect_fine(rehearse(std::string("table = \"users\"\ncolumn = \"name\"\nto = \"") + to + "\""));
  for (const char* to : {"text", "numeric", "bigint"})
    expect_fine(rehearse(std::string("tables = [\"users\"]\nto = \"") + to + "\""));
  expect_fine(rehearse("tables = [\"users\"]\nto = \"uuid\"\nmapping = \"v7\"\nfrom = \"at\"\n"));
}

TEST_F(RehearsalTest, GoesOnWithoutRowsThatCannotBeMappedForTheFillNamesThem) {
  expect_fine(rehearse("table = \"users\"\ncolumn = \"name\"\nto = \"jsonb\""));
}

TEST_F(RehearsalTest, SaysWhenItCannotBeHad) {
  db_.exec("CREATE ROLE rehearsal_guest LOGIN; GRANT pg_monitor TO rehearsal_guest");
  db_.exec("ALTER TABLE users OWNER TO rehearsal_guest; ALTER TABLE notes OWNER TO rehearsal_guest");
  dsn_ = SharedServer::get().dsn(db_.text("SELECT current_database()"), "rehearsal_guest");
  EXPECT_THAT(rehearse_keys("mapping = \"embed\"").cut_short, HasSubstr("GRANT CREATE ON DATABASE"));
}

}  // namespace
}  // namespace pgsluice::test
