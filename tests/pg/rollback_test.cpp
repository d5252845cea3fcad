// Rollback against a real server: what it undoes, what it leaves, what it refuses.
#include "engine/command/verification.hpp"
#include "engine/preflight/preflight.hpp"
#include "pg/rolled_back_job.hpp"

namespace pgsluice::engine {
namespace {

using test::Db;
using test::job_of;
using ::testing::HasSubstr;

using RollbackTest = RolledBackJob;

TEST_F(RollbackTest, UndoesStepsInReverseOrder) {
  const auto job = pretend_onboarded();
  roll_back(job);
  EXPECT_FALSE(has_column());
  EXPECT_FALSE(has_index());
  EXPECT_EQ(states(), (std::vector<std::string>(4, "rolled back")));
  EXPECT_EQ(job_row(), "rolled back, run");
  EXPECT_EQ(statements_told(),
            (std::vector<std::string>{"DROP INDEX CONCURRENTLY IF EXISTS \"public\".\"users_onboarded\"",
                                      "ALTER TABLE users DROP COLUMN IF EXISTS onboarded"}));
  EXPECT_EQ(db_.number("SELECT count(*) FROM pgsluice.range"), 0);
  EXPECT_EQ(db_.number("SELECT count(*) FROM pgsluice.event WHERE type = 'step_ended'"), 4);
}

TEST_F(RollbackTest, LeavesAJobThatCanBeRunAgain) {
  const auto job = pretend_onboarded();
  roll_back(job);
  for (const auto& finding : preflight(session_, job, true))
    EXPECT_NE(finding.level, Finding::Level::kRefuse) << finding.message;
  const auto again = ledger::open_job(session_, definition_of(job));
  for (const auto& step : again.steps) {
    EXPECT_NE(step.state, StepState::kDone);
    EXPECT_FALSE(step.ranges_cut);
    EXPECT_EQ(step.detail, "");
  }
}

TEST_F(RollbackTest, IsDoneOnceHoweverOftenItIsCalled) {
  const auto job = pretend_onboarded();
  roll_back(job);
  told_.clear();
  roll_back(job);
  EXPECT_TRUE(statements_told().empty());
  EXPECT_EQ(job_row(), "rolled back, run");
}

TEST_F(RollbackTest, RefusesBeforeTouchingAnythingIfAStepHasNoDown) {
  auto job = pretend_onboarded();
  job.steps.at(0).as<SqlStep>()->down.clear();
  const auto error = refusal(job);
  EXPECT_EQ(error.code(), ExitCode::kRefused);
  EXPECT_THAT(error.what(), HasSubstr("sql step \"add-column\" has no `down`"));
  EXPECT_THAT(error.what(), HasSubstr("backfill step \"fill\" has changed rows"));
  EXPECT_TRUE(has_column());
  EXPECT_TRUE(has_index());
  EXPECT_EQ(states(), (std::vector<std::string>(4, "done")));
  EXPECT_EQ(job_row(), "ready, run");
}

TEST_F(RollbackTest, RefusesABackfillWhoseValuesWouldStay) {
  const auto job = job_of(
      "name = \"j\"\n[[step]]\nkind = \"backfill\"\nname = \"fill\"\ntable = \"users\"\nset = { plan = \"1\" "
      "}\n");
  pretend(job, 1);
  roll_back(job);  // it has changed nothing yet
  EXPECT_EQ(states(), (std::vector<std::string>{"rolled back"}));
  do_step(0);
  db_.exec("UPDATE pgsluice.range SET rows_changed = 1");
  EXPECT_THAT(refusal(job).what(), HasSubstr("their old values are not kept"));
}

TEST_F(RollbackTest, AcceptsABackfillOfATableThatIsDropped) {
  const auto job = job_of(R"toml(
name = "j"
[[step]]
kind = "sql"
name = "make"
up = "CREATE TABLE made (id int PRIMARY KEY, v int)"
down = "DROP TABLE public.made"
[[step]]
kind = "backfill"
name = "fill"
table = "made"
set = { v = "1" }
)toml");
  db_.exec("CREATE TABLE made (id int PRIMARY KEY, v int)");
  pretend(job, 2);
  db_.exec("UPDATE pgsluice.range SET rows_changed = 5");
  roll_back(job);
  EXPECT_TRUE(db_.yes("SELECT to_regclass('made') IS NULL"));
}

TEST_F(RollbackTest, IsNotMisledByATableOfTheSameNameElsewhere) {
  db_.exec(
      "CREATE SCHEMA other; CREATE TABLE other.users (id int PRIMARY KEY, onboarded boolean); ALTER TABLE "
      "users ADD onboarded boolean");
  const auto job = job_of(R"toml(
name = "j"
[[step]]
kind = "sql"
name = "add"
up = "SELECT 1"
down = "ALTER TABLE other.users DROP COLUMN onboarded"
[[step]]
kind = "backfill"
name = "fill"
table = "users"
set = { onboarded = "true" }
)toml");
  pretend(job, 2);
  db_.exec("UPDATE pgsluice.range SET rows_changed = 5");
  EXPECT_THAT(refusal(job).what(), HasSubstr("backfill step \"fill\" has changed rows"));
}

TEST_F(RollbackTest, LeavesStepsThatNeverStarted) {
  const auto job = job_of(test::onboarding_text());
  pretend(job, 1);
  db_.exec("ALTER TABLE users ADD onboarded boolean");
  roll_back(job);
  EXPECT_FALSE(has_column());
  EXPECT_EQ(states(), (std::vector<std::string>{"rolled back", "waiting", "waiting", "waiting"}));
}

// The run died between the step's commit and the note of its state.
TEST_F(RollbackTest, UndoesAStepThatIsDoneButStillCalledRunning) {
  const auto job = job_of(test::onboarding_text());
  pretend(job, 1);
  db_.exec(
      "ALTER TABLE users ADD onboarded boolean; UPDATE pgsluice.step SET state = 'running' WHERE number = 1");
  roll_back(job);
  EXPECT_FALSE(has_column());
}

TEST_F(RollbackTest, SendsNoDownForAStepThatFailed) {
  auto job = job_of(test::onboarding_text());
  job.steps.at(0).as<SqlStep>()->down = {
      "ALTER TABLE users DROP COLUMN onboarded"};  // would fail: there is none
  pretend(job, 0);
  ledger::set_step_state(session_, record_.steps.at(0).step_id, StepState::kFailed, "no");
  roll_back(job);
  EXPECT_TRUE(statements_told().empty());
  EXPECT_EQ(states().at(0), "rolled back");
}

TEST_F(RollbackTest, LeavesAnIndexThatItDidNotBuild) {
  const auto job = pretend_onboarded();
  ledger::set_step_detail(session_, record_.steps.at(2).step_id, "");
  db_.exec("DROP INDEX users_onboarded; CREATE INDEX users_onboarded ON users (email)");
  roll_back(job);
  EXPECT_TRUE(has_index());
  EXPECT_FALSE(has_column());
}

TEST_F(RollbackTest, RemovesAnInvalidLeftover) {
  const auto job = pretend_onboarded();
  ledger::set_step_detail(session_, record_.steps.at(2).step_id, "");
  db_.exec("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'users_onboarded'::regclass");
  roll_back(job);
  EXPECT_FALSE(has_index());
}

TEST_F(RollbackTest, RefusesWhileARunLives) {
  const auto job = pretend_onboarded();
  ledger::register_run(session_, record_.job_id, "22222222-2222-2222-2222-222222222222", "test",
                       base::this_process());
  const auto error = refusal(job);
  EXPECT_EQ(error.code(), ExitCode::kRefused);
  EXPECT_THAT(error.what(), HasSubstr("has 1 live run"));
  EXPECT_TRUE(has_index());
  EXPECT_EQ(job_row(), "ready, run");
}

TEST_F(RollbackTest, KeepsRunsOutWhileItWorks) {
  const auto job = pretend_onboarded();
  std::string seen;
  roll_back(job, [&](const EventBody& body) {
    if (std::holds_alternative<event::Statement>(body)) seen = job_row();
  });
  EXPECT_EQ(seen, "rolling back, run");
}

TEST_F(RollbackTest, WaitsForItsLockAndSaysWhoHoldsIt) {
  const auto job = job_of(test::onboarding_text());
  pretend(job, 1);
  db_.exec("ALTER TABLE users ADD onboarded boolean");
  Db other(dsn_);
  other.exec("BEGIN");
  other.exec("LOCK TABLE users IN ACCESS SHARE MODE");
  std::string blamed;
  roll_back(job, [&](const EventBody& body) {
    const auto* failed = std::get_if<event::BatchFailed>(&body);
    if (!failed) return;
    blamed = failed->message;
    other.exec("COMMIT");
  });
  EXPECT_THAT(blamed, HasSubstr("is held by pid " + std::to_string(other.backend_pid())));
  EXPECT_FALSE(has_column());
}

TEST_F(RollbackTest, SaysForWhomTheIndexHasToWait) {
  const auto job = pretend_onboarded();
  Db other(dsn_);
  other.exec("BEGIN");
  other.exec("LOCK TABLE users IN ACCESS SHARE MODE");
  std::string warned;
  roll_back(job, [&](const EventBody& body) {
    const auto* warning = std::get_if<event::Warning>(&body);
    if (!warning) return;
    warned = warning->message;
    other.exec("COMMIT");
  });
  EXPECT_THAT(warned, HasSubstr("is dropped once pid " + std::to_string(other.backend_pid())));
  EXPECT_FALSE(has_index());
}

TEST_F(RollbackTest, RefusesAJobThatChanged) {
  auto job = pretend_onboarded();
  job.steps.at(1).as<BackfillStep>()->where.clear();
  EXPECT_THAT(refusal(job).what(), HasSubstr("- where = onboarded IS NULL"));
  job.name = "unknown";
  EXPECT_EQ(refusal(job).code(), ExitCode::kNoSuchJob);
}

TEST_F(RollbackTest, VerifyCountsWhatIsLeftAndAllowsForQuarantine) {
  const auto job = pretend_onboarded();
  const auto results = [&] {
    std::vector<std::string> out;
    for (const auto& r : verify_job(session_, job, {}))
      out.push_back(r.step + " " + r.expected + " " + r.actual + (r.matches ? " ok" : " differs"));
    return out;
  };
  EXPECT_EQ(results(), (std::vector<std::string>{"fill 0 0 ok", "nobody-left 0 0 ok"}));
  db_.exec("UPDATE users SET onboarded = NULL WHERE id <= 2");
  EXPECT_EQ(results(), (std::vector<std::string>{"fill 0 2 differs", "nobody-left 0 2 differs"}));
  db_.exec("UPDATE pgsluice.range SET rows_quarantined = 2 WHERE step_id = " +
           std::to_string(record_.steps.at(1).step_id));
  EXPECT_EQ(results(), (std::vector<std::string>{"fill at most 2 2 ok", "nobody-left 0 2 differs"}));
}

}  // namespace
}  // namespace pgsluice::engine
