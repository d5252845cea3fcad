// The plan against a real server: the statements that it prints are those that run's own functions send, and
// it writes nothing.
#include "kinds/planner.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kinds/definition_change/job_definition.hpp"
#include "ledger/jobs.hpp"
#include "ledger/schema.hpp"
#include "pg/engine_jobs.hpp"
#include "support/private_server.hpp"
#include "support/shared_server.hpp"

namespace pgsluice::engine {
namespace {

using test::Db;
using test::job_of;
using test::lines;
using test::session_on;
using ::testing::HasSubstr;
using ::testing::Not;

Plan plan_of(const std::string& dsn, const std::string& text) {
  auto session = session_on(dsn);
  return make_plan(session, job_of(text), "here");
}

std::vector<std::string> texts(const PlannedStep& step) {
  std::vector<std::string> out;
  for (const auto& s : step.statements) out.push_back(s.sql);
  return out;
}

const PlannedStatement& statement(const PlannedStep& step, const std::string& part) {
  for (const auto& s : step.statements) {
    if (s.sql.find(part) != std::string::npos) return s;
  }
  throw std::runtime_error("no statement holds " + part);
}

class PlanTest : public ::testing::Test {
 protected:
  std::string dsn_ = test::fresh_database();
  Db db_{dsn_};
};

TEST_F(PlanTest, LocksGentlyBeforeAnAlter) {
  test::make_users(db_);
  const auto step = plan_of(dsn_, test::onboarding_text()).steps.at(0);
  EXPECT_EQ(texts(step),
            (std::vector<std::string>{"LOCK TABLE \"users\" IN SHARE UPDATE EXCLUSIVE MODE",
                                      "ALTER TABLE users ADD COLUMN IF NOT EXISTS onboarded boolean"}));
  EXPECT_EQ(step.statements.at(0).lock, "SHARE UPDATE EXCLUSIVE on \"users\", lock_timeout 1.5 s");
  EXPECT_EQ(step.statements.at(1).lock, "ACCESS EXCLUSIVE on \"users\", lock_timeout 300 ms");
}

TEST_F(PlanTest, LocksNothingGentlyThatIsNotThere) {
  const auto step = plan_of(dsn_, R"toml(
name = "j"
[[step]]
kind = "sql"
name = "s"
up = ["CREATE TABLE made (id int)", "ALTER TABLE made ADD COLUMN v int", "DROP TABLE made", "ALTER TABLE IF EXISTS made ADD COLUMN w int"]
)toml")
                        .steps.at(0);
  EXPECT_EQ(texts(step),
            (std::vector<std::string>{
                "CREATE TABLE made (id int)", "LOCK TABLE \"made\" IN SHARE UPDATE EXCLUSIVE MODE",
                "ALTER TABLE made ADD COLUMN v int", "LOCK TABLE \"made\" IN SHARE UPDATE EXCLUSIVE MODE",
                "DROP TABLE made", "ALTER TABLE IF EXISTS made ADD COLUMN w int"}));
}

TEST_F(PlanTest, SaysWhatRewritesOrReadsATableUnderItsLock) {
  test::make_users(db_);
  const auto step = plan_of(dsn_, R"toml(
name = "j"
[[step]]
kind = "sql"
name = "s"
up = ["ALTER TABLE users ALTER COLUMN plan TYPE bigint", "ALTER TABLE users ADD COLUMN token uuid DEFAULT gen_random_uuid()",
      "ALTER TABLE users ADD COLUMN at timestamptz DEFAULT now()", "ALTER TABLE users ALTER plan SET NOT NULL",
      "CREATE TABLE copy AS SELECT * FROM users"]
)toml")
                        .steps.at(0);
  const auto notes = lines(step.notes);
  EXPECT_THAT(notes, HasSubstr("a new type for plan rewrites the table"));
  EXPECT_THAT(
      notes,
      HasSubstr("volatile function gen_random_uuid, so the table is rewritten (ACCESS EXCLUSIVE is held"));
  EXPECT_THAT(notes, HasSubstr("SET NOT NULL on plan reads the whole table"));
  EXPECT_THAT(notes, Not(HasSubstr("function now")));
}

TEST_F(PlanTest, WritesNothing) {
  test::make_users(db_);
  const auto before = db_.text("SELECT pg_current_wal_insert_lsn()");
  plan_of(dsn_, test::onboarding_text());
  EXPECT_EQ(db_.number("SELECT count(*) FROM pg_namespace WHERE nspname = 'pgsluice'"), 0);
  EXPECT_EQ(db_.number("SELECT count(*) FROM pg_class WHERE relname = 'users_onboarded'"), 0);
}

TEST_F(PlanTest, PlansABackfillBeforeItsColumnIsThere) {
  test::make_users(db_);
  const auto step = plan_of(dsn_, test::onboarding_text()).steps.at(1);
  EXPECT_EQ(step.walk, "keyset along (\"id\")");
  EXPECT_EQ(step.walk_reason, "the table is small; primary key \"users_pkey\"");
  EXPECT_EQ(step.rows_estimated, 10'000);
  const auto& update =
      statement(step, "UPDATE \"public\".\"users\"\nSET \"onboarded\" = (true\n)\nWHERE \"id\" > $1");
  EXPECT_TRUE(update.is_repeated);
  EXPECT_THAT(update.lock,
              HasSubstr("ROW EXCLUSIVE on \"public\".\"users\", its rows until COMMIT, lock_timeout 150 ms"));
  EXPECT_THAT(lines(step.notes), HasSubstr("step \"add-column\" adds column \"onboarded\""));
  EXPECT_THAT(lines(step.notes), Not(HasSubstr("run will refuse")));
  EXPECT_TRUE(step.can_be_undone);
  EXPECT_THAT(step.undo, HasSubstr("step \"add-column\" is undone"));
}

TEST_F(PlanTest, SaysThatATableComesLater) {
  const auto step = plan_of(dsn_, R"toml(
name = "j"
[[step]]
kind = "sql"
name = "make"
up = "CREATE TABLE later (id int PRIMARY KEY, v int)"
[[step]]
kind = "backfill"
name = "fill"
table = "later"
set = { v = "1" }
)toml")
                        .steps.at(1);
  EXPECT_THAT(lines(step.notes), HasSubstr("step \"make\" makes its table"));
  EXPECT_TRUE(step.statements.empty());
}

TEST_F(PlanTest, SaysWhatRunWillRefuseAndGoesOn) {
  test::make_users(db_);
  const auto plan = plan_of(dsn_, R"toml(
name = "j"
[[step]]
kind = "backfill"
name = "missing"
table = "nowhere"
set = { v = "1" }
[[step]]
kind = "backfill"
name = "misspelt"
table = "users"
set = { plann = "1" }
)toml");
  EXPECT_THAT(lines(plan.steps.at(0).notes), HasSubstr("run will refuse: table \"nowhere\" does not exist"));
  EXPECT_THAT(lines(plan.steps.at(1).notes),
              HasSubstr("run will refuse: table \"users\" has no column \"plann\""));
  EXPECT_FALSE(plan.steps.at(1).can_be_undone);
  EXPECT_THAT(plan.steps.at(1).undo, Not(HasSubstr("cannot be undone")))
      << "the plan's text says that already";
}

TEST_F(PlanTest, NamesWhatABackfillSetsOff) {
  test::make_users(db_);
  db_.exec(
      "CREATE INDEX users_plan ON users (email) WHERE plan > 3;"
      "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'begin return new; end';"
      "CREATE TRIGGER fires BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION f();"
      "CREATE TRIGGER fires_too BEFORE UPDATE OF plan ON users FOR EACH ROW EXECUTE FUNCTION f();"
      "CREATE TRIGGER silent BEFORE UPDATE OF email ON users FOR EACH ROW EXECUTE FUNCTION f();");
  const auto notes = lines(plan_of(dsn_, R"toml(
name = "j"
[[step]]
kind = "backfill"
name = "fill"
table = "users"
set = { plan = "(random() * 10)::int" }
where = "plan = 3"
)toml")
                               .steps.at(0)
                               .notes);
  EXPECT_THAT(notes, HasSubstr("random is volatile"));
  EXPECT_THAT(notes, HasSubstr("trigger \"fires\" and \"fires_too\"\n"));
  EXPECT_THAT(notes, HasSubstr("a changed column is in index \"users_plan\""));
  EXPECT_THAT(notes, HasSubstr("of the rows visited, about 1,4"));
}

TEST_F(PlanTest, DropsAnInvalidLeftoverBeforeItBuildsTheIndex) {
  test::make_users(db_);
  db_.exec(
      "ALTER TABLE users ADD onboarded boolean; CREATE INDEX users_onboarded ON users (onboarded);"
      "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'users_onboarded'::regclass");
  const auto invalid = plan_of(dsn_, test::onboarding_text()).steps.at(2);
  EXPECT_EQ(texts(invalid),
            (std::vector<std::string>{
                "DROP INDEX CONCURRENTLY IF EXISTS \"public\".\"users_onboarded\"",
                "CREATE INDEX CONCURRENTLY IF NOT EXISTS users_onboarded ON users (onboarded)"}));
  EXPECT_THAT(invalid.statements.at(1).lock,
              HasSubstr("SHARE UPDATE EXCLUSIVE on \"users\", no lock_timeout"));
  db_.exec("UPDATE pg_index SET indisvalid = true WHERE indexrelid = 'users_onboarded'::regclass");
  const auto valid = plan_of(dsn_, test::onboarding_text()).steps.at(2);
  EXPECT_EQ(texts(valid),
            (std::vector<std::string>{"CREATE TEMPORARY TABLE pg_temp.\"users\" (LIKE \"users\")",
                                      "CREATE INDEX pgsluice_probe ON pg_temp.\"users\" (onboarded)"}));
  EXPECT_THAT(lines(valid.notes), HasSubstr("exists and is valid"));
}

TEST_F(PlanTest, SendsNothingForStepsThatAreDone) {
  test::make_users(db_);
  auto session = session_on(dsn_);
  ledger::install(session);
  const auto job = job_of(test::onboarding_text());
  const auto record = ledger::open_job(session, definition_of(job));
  ledger::set_step_state(session, record.steps.at(0).step_id, StepState::kDone);
  const auto plan = make_plan(session, job, "here");
  EXPECT_EQ(plan.steps.at(0).state, StepState::kDone);
  EXPECT_TRUE(plan.steps.at(0).statements.empty());
  EXPECT_EQ(plan.steps.at(1).state, StepState::kWaiting);
}

// One UPDATE over the whole table writes what batches write: the same records, but for the commits.
TEST_F(PlanTest, EstimatesWalWithinAThirdOfWhatTheServerWrites) {
  test::PrivateServer server({.settings = {{"full_page_writes", "on"}}});
  Db db(server.fresh_database());
  test::make_users(db, 50'000);
  db.exec("CREATE INDEX ON users (email); CREATE INDEX ON users (plan)");
  db.exec("VACUUM (FREEZE, ANALYZE) users");
  const auto dsn = server.dsn(db.text("SELECT current_database()"));
  const auto estimated = plan_of(dsn, R"toml(
name = "j"
[[step]]
kind = "backfill"
name = "fill"
table = "users"
set = { plan = "plan + 1" }
)toml")
                             .steps.at(0)
                             .wal_bytes_estimated;
  db.exec("CHECKPOINT");
  const auto before = db.text("SELECT pg_current_wal_insert_lsn()");
  db.exec("UPDATE users SET plan = plan + 1");
  const auto written =
      db.number("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '" + before + "')::bigint");
  EXPECT_GT(estimated, written * 2 / 3);
  EXPECT_LT(estimated, written * 4 / 3);
}

}  // namespace
}  // namespace pgsluice::engine
