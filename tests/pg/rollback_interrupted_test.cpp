// Rollback and death: its own at any moment, and that of a run whose backend lives on.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "pg/rolled_back_job.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::engine {
namespace {

using test::Db;
using test::job_of;

using InterruptedRollback = RolledBackJob;

TEST_F(InterruptedRollback, FencesABatchThatAGoneRunStillHasInFlight) {
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
TEST_F(InterruptedRollback, WaitsForAStatementInFlightAndUndoesIt) {
  const auto job = job_of(test::onboarding_text());
  pretend(job, 0);
  const auto id = record_.steps.at(0).step_id;
  ledger::set_step_state(session_, id, StepState::kRunning);
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

TEST_F(InterruptedRollback, GoesOnWhereItWasInterrupted) {
  auto job = pretend_onboarded();
  job.steps.at(0).as<SqlStep>()->down = {"ALTER TABLE nowhere DROP COLUMN onboarded",
                                         "ALTER TABLE users DROP COLUMN onboarded"};
  EXPECT_EQ(refusal(job).code(), ExitCode::kFailed);
  EXPECT_EQ(states(), (std::vector<std::string>{"done", "rolled back", "rolled back", "rolled back"}));
  EXPECT_EQ(job_row(), "rolling back, run") << "no run may start on a job that is half undone";
  job.steps.at(0).as<SqlStep>()->down = {"ALTER TABLE users DROP COLUMN onboarded"};
  roll_back(job);
  EXPECT_FALSE(has_column());
  EXPECT_EQ(job_row(), "rolled back, run");
}

class KilledRollback : public RolledBackJob, public ::testing::WithParamInterface<int> {
 protected:
  /// Rolls back in a process of its own, which is killed when it tells its event number `last`.
  void roll_back_and_die(const Job& job, int last) {
    const pid_t child = fork();
    if (child == 0) {
      int told = 0;
      roll_back(job, [&](const EventBody& body) {
        const bool counts = std::holds_alternative<event::Statement>(body) ||
                            std::holds_alternative<event::StepEnded>(body) ||
                            std::holds_alternative<event::Summary>(body);
        if (counts && ++told == last) raise(SIGKILL);
      });
      _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status)) << "there are fewer events";
    test::wait_for(
        [&] {
          return db_.number(
                     "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pgsluice%' AND "
                     "datname = current_database()") == 1;
        },
        "the killed process' backends to end");
  }
};

// Two for the index, one each for verify and backfill, two for the column, the summary.
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

}  // namespace
}  // namespace pgsluice::engine
