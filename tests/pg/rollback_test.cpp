// Rollback against a real server. The job's past is written by the ledger's own functions, its effects by
// hand.
#include "engine/rollback.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "base/process_identity.hpp"
#include "engine/job_definition.hpp"
#include "engine/preflight.hpp"
#include "engine/verification.hpp"
#include "ledger/checkpoint.hpp"
#include "ledger/jobs.hpp"
#include "ledger/lease.hpp"
#include "ledger/overview.hpp"
#include "ledger/runs.hpp"
#include "ledger/schema.hpp"
#include "ledger/split.hpp"
#include "pg/engine_jobs.hpp"
#include "pgsluice/error.hpp"
#include "support/shared_server.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::engine {
namespace {

using test::Db;
using test::job_of;
using test::session_on;
using ::testing::HasSubstr;

constexpr const char* kRunId = "11111111-1111-1111-1111-111111111111";

class RollbackTest : public ::testing::Test {
 protected:
  RollbackTest() {
    test::make_users(db_);
    ledger::install(session_);
  }

  /// Writes the job as one whose run has ended after it did the first `done` steps; their effects are the
  /// test's.
  void pretend(const Job& job, std::size_t done) {
    record_ = ledger::open_job(session_, definition_of(job));
    ledger::register_run(session_, record_.job_id, kRunId, "test", base::this_process());
    for (std::size_t i = 0; i < done; ++i) do_step(i);
    ledger::end_run(session_, kRunId, "work left", 75);
    ledger::set_job_state(session_, record_.job_id, "ready");
  }

  void do_step(std::size_t place) {
    const auto id = record_.steps.at(place).step_id;
    ledger::set_step_state(session_, id, "running");
    ledger::cut(session_, id, 0, {ledger::NewRange{}});
    ledger::mark_done(session_, ledger::lease_next(session_, id, kRunId, {})->token);
    ledger::set_step_state(session_, id, "done");
  }

  /// The onboarding job with everything done, as a run leaves it.
  Job pretend_onboarded() {
    auto job = job_of(test::onboarding_text());
    pretend(job, 4);
    db_.exec(
        "ALTER TABLE users ADD onboarded boolean; UPDATE users SET onboarded = true; CREATE INDEX "
        "users_onboarded ON users (onboarded)");
    db_.exec("UPDATE pgsluice.range SET rows_changed = 10000, rows_visited = 10000 WHERE step_id = " +
             std::to_string(record_.steps.at(1).step_id));
    ledger::set_step_detail(session_, record_.steps.at(2).step_id, "created");
    return job;
  }

  void roll_back(const Job& job) {
    rollback_job(session_, job, [this](EventBody body) { told_.push_back(std::move(body)); });
  }

  Error refusal(const Job& job) {
    try {
      roll_back(job);
    } catch (const Error& e) {
      return e;
    }
    return Error(ExitCode::kDone, "it was not refused");
  }

  bool has_column() {
    return db_.number(
               "SELECT count(*) FROM pg_attribute WHERE attrelid = 'users'::regclass AND attname = "
               "'onboarded' AND NOT attisdropped") == 1;
  }
  bool has_index() { return db_.yes("SELECT to_regclass('users_onboarded') IS NOT NULL"); }
  std::vector<std::string> states() { return db_.column("SELECT state FROM pgsluice.step ORDER BY number"); }
  std::string job_row() { return db_.text("SELECT state || ', ' || control FROM pgsluice.job"); }

  std::vector<std::string> statements_told() const {
    std::vector<std::string> out;
    for (const auto& body : told_) {
      if (const auto* statement = std::get_if<event::Statement>(&body)) out.push_back(statement->sql);
    }
    return out;
  }

  std::string dsn_ = test::fresh_database();
  Db db_{dsn_};
  pg::Session session_{pg::ConnectionTarget(dsn_), "pgsluice test"};
  ledger::JobRecord record_;
  std::vector<EventBody> told_;
};

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
    EXPECT_NE(step.state, "done");
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
  std::get<SqlStep>(job.steps.at(0)).down.clear();
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
  std::get<SqlStep>(job.steps.at(0)).down = {
      "ALTER TABLE users DROP COLUMN onboarded"};  // would fail: there is none
  pretend(job, 0);
  ledger::set_step_state(session_, record_.steps.at(0).step_id, "failed", "no");
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

TEST_F(RollbackTest, FencesABatchThatAGoneRunStillHasInFlight) {
  const auto job = pretend_onboarded();
  const auto fill = std::to_string(record_.steps.at(1).step_id);
  db_.exec("INSERT INTO pgsluice.range (step_id, run_id) VALUES (" + fill + ", '" + kRunId + "')");
  const auto id = db_.number("SELECT max(range_id) FROM pgsluice.range");
  Db orphan(dsn_);
  orphan.exec("BEGIN");
  orphan.exec("UPDATE pgsluice.range SET position = '{5}' WHERE range_id = " + std::to_string(id));
  std::thread late([&] {
    test::wait_for(
        [&] {
          return db_.number(
                     "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = "
                     "current_database()") == 1;
        },
        "the rollback to wait for the orphan");
    orphan.exec("COMMIT");
  });
  roll_back(job);
  late.join();
  EXPECT_FALSE(has_column());
  EXPECT_FALSE(ledger::advance(session_, {id, kRunId, 0}, pg::Key{"5"}, pg::Key{"6"}, pg::Key{"9"}));
}

// A run was killed, its backend lives on: the statement is done, its COMMIT on the way.
TEST_F(RollbackTest, WaitsForAStatementInFlightAndUndoesIt) {
  const auto job = job_of(test::onboarding_text());
  pretend(job, 0);
  const auto id = record_.steps.at(0).step_id;
  ledger::set_step_state(session_, id, "running");
  ledger::cut(session_, id, 0, {ledger::NewRange{}});
  Db orphan(dsn_);
  orphan.exec("BEGIN");
  orphan.exec("UPDATE pgsluice.range SET is_done = true");
  orphan.exec("ALTER TABLE users ADD onboarded boolean");
  std::thread late([&] {
    test::wait_for(
        [&] {
          return db_.number(
                     "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = "
                     "current_database()") == 1;
        },
        "the rollback to wait for the orphan");
    orphan.exec("COMMIT");
  });
  roll_back(job);
  late.join();
  EXPECT_FALSE(has_column());
}

TEST_F(RollbackTest, KeepsRunsOutWhileItWorks) {
  const auto job = pretend_onboarded();
  std::string seen;
  rollback_job(session_, job, [&](const EventBody& body) {
    if (std::holds_alternative<event::Statement>(body)) seen = job_row();
  });
  EXPECT_EQ(seen, "ready, cancel");
}

TEST_F(RollbackTest, WaitsForItsLockAndSaysWhoHoldsIt) {
  const auto job = job_of(test::onboarding_text());
  pretend(job, 1);
  db_.exec("ALTER TABLE users ADD onboarded boolean");
  Db other(dsn_);
  other.exec("BEGIN");
  other.exec("LOCK TABLE users IN ACCESS SHARE MODE");
  std::string blamed;
  rollback_job(session_, job, [&](const EventBody& body) {
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
  rollback_job(session_, job, [&](const EventBody& body) {
    const auto* warning = std::get_if<event::Warning>(&body);
    if (!warning) return;
    warned = warning->message;
    other.exec("COMMIT");
  });
  EXPECT_THAT(warned, HasSubstr("is dropped when pid " + std::to_string(other.backend_pid())));
  EXPECT_FALSE(has_index());
}

TEST_F(RollbackTest, GoesOnWhereItWasInterrupted) {
  auto job = pretend_onboarded();
  std::get<SqlStep>(job.steps.at(0)).down = {"ALTER TABLE nowhere DROP COLUMN onboarded",
                                             "ALTER TABLE users DROP COLUMN onboarded"};
  EXPECT_EQ(refusal(job).code(), ExitCode::kFailed);
  EXPECT_EQ(states(), (std::vector<std::string>{"done", "rolled back", "rolled back", "rolled back"}));
  EXPECT_EQ(job_row(), "ready, cancel") << "no run may start on a job that is half undone";
  std::get<SqlStep>(job.steps.at(0)).down = {"ALTER TABLE users DROP COLUMN onboarded"};
  roll_back(job);
  EXPECT_FALSE(has_column());
  EXPECT_EQ(job_row(), "rolled back, run");
}

class KilledRollback : public RollbackTest, public ::testing::WithParamInterface<int> {
 protected:
  /// Rolls back in a process of its own, which is killed when it tells its event number `last`.
  void roll_back_and_die(const Job& job, int last) {
    const pid_t child = fork();
    if (child == 0) {
      pg::Session own{pg::ConnectionTarget(dsn_), "pgsluice test"};
      int told = 0;
      rollback_job(own, job, [&](const EventBody&) {
        if (++told == last) raise(SIGKILL);
      });
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << "there are fewer events";
    test::wait_for(
        [&] {
          return db_.number(
                     "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgsluice test' AND "
                     "datname = current_database()") == 1;
        },
        "the killed process' backend to end");
  }
};

// Two for the index, one each for verify and backfill, two for the column, one for the job.
INSTANTIATE_TEST_SUITE_P(AtEvent, KilledRollback, ::testing::Range(1, 8));

TEST_P(KilledRollback, GoesOnWhenCalledAgain) {
  const auto job = pretend_onboarded();
  roll_back_and_die(job, GetParam());
  roll_back(job);
  EXPECT_FALSE(has_column());
  EXPECT_FALSE(has_index());
  EXPECT_EQ(states(), (std::vector<std::string>(4, "rolled back")));
  EXPECT_EQ(job_row(), "rolled back, run");
}

TEST_F(RollbackTest, RefusesAJobThatChanged) {
  auto job = pretend_onboarded();
  std::get<BackfillStep>(job.steps.at(1)).where.clear();
  EXPECT_THAT(refusal(job).what(), HasSubstr("- where = onboarded IS NULL"));
  job.name = "unknown";
  EXPECT_EQ(refusal(job).code(), ExitCode::kNoSuchJob);
}

TEST_F(RollbackTest, VerifyCountsWhatIsLeftAndAllowsForQuarantine) {
  const auto job = pretend_onboarded();
  const auto results = [&] {
    std::vector<std::string> out;
    for (const auto& r : verify_job(session_, job))
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
