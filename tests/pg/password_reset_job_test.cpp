// Goal: the shipped job adds what a password reset needs, finishes what others began, names what does not
// fit, and leaves nothing behind when it is rolled back. Method: the file as it is, kills, a table that is
// half done.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/shipped_job.hpp"

namespace pgsluice::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class PasswordReset : public ShippedJob {
 protected:
  PasswordReset() { trial_.job_file(of_source("jobs/password-reset.toml")); }

  void expect_refused(const std::string& statement) {
    EXPECT_ANY_THROW(trial_.db().exec(statement)) << statement;
  }

  void expect_usable() {
    auto& db = trial_.db();
    EXPECT_EQ(db.number("SELECT sum(password_reset_attempts) FROM users"), 0);
    db.exec(
        "UPDATE users SET password_reset_token = 'a', password_reset_token_expires_at = now() WHERE id = 1");
    expect_refused(
        "UPDATE users SET password_reset_token = 'a', password_reset_token_expires_at = now() WHERE id = 2");
    expect_refused("UPDATE users SET password_reset_token = 'b' WHERE id = 2");
    expect_refused("UPDATE users SET password_reset_attempts = -1 WHERE id = 2");
    expect_refused("UPDATE users SET password_reset_attempts = NULL WHERE id = 2");
  }
};

TEST_F(PasswordReset, RunsVerifiesIsTakenBackAndRunsAgain) {
  expect_done();
  expect_usable();
  roll_back();
  expect_done();
}

TEST_F(PasswordReset, ShowsItsSqlBeforehand) {
  const auto plan = run_ok(trial_.text_command("plan"));
  EXPECT_THAT(plan, AllOf(HasSubstr("ADD COLUMN IF NOT EXISTS password_reset_token text"),
                          HasSubstr("ACCESS EXCLUSIVE"), HasSubstr("CREATE UNIQUE INDEX CONCURRENTLY"),
                          HasSubstr("NOT VALID"), HasSubstr("DROP COLUMN IF EXISTS")));
  EXPECT_TRUE(trial_.is_untouched());
}

TEST_F(PasswordReset, GoesOnAfterSigkillAtEveryStep) {
  for (const char* place : {"after_register", "after_ddl", "after_ddl_commit", "after_cut", "after_commit:2",
                            "after_ddl_commit:1", "after_ddl:2", "after_index"}) {
    SCOPED_TRACE(place);
    run_and_die_at(place);
  }
  expect_done();
  expect_usable();
  EXPECT_EQ(trial_.db().number(
                "SELECT count(*) FROM pg_index WHERE indrelid = 'users'::regclass AND NOT indisvalid"),
            0);
}

TEST_F(PasswordReset, RecognisesAHalfAppliedStateAndFinishesIt) {
  trial_.db().exec(
      "ALTER TABLE users ADD COLUMN password_reset_token text,"
      " ADD COLUMN password_reset_requested_at timestamptz");
  expect_done();
  expect_usable();
  roll_back();
}

TEST_F(PasswordReset, FillsACounterThatWasAddedWithoutDefaultAndLeavesWhatItCounted) {
  trial_.db().exec(
      "ALTER TABLE users ADD COLUMN password_reset_attempts integer;"
      "UPDATE users SET password_reset_attempts = 3 WHERE id = 1");
  for (const char* place : {"after_update:2", "after_commit:3"}) run_and_die_at(place);
  expect_done();
  EXPECT_EQ(trial_.db().number("SELECT sum(password_reset_attempts) FROM users"), 3);
  EXPECT_EQ(trial_.db().number("SELECT sum(rows_changed) FROM pgsluice.range"), user_rows() - 1);
  roll_back();
}

TEST_F(PasswordReset, NamesTokensWithoutAnEndAndAddsNothingUntilTheyAreMended) {
  trial_.db().exec(
      "ALTER TABLE users ADD COLUMN password_reset_token text;"
      "UPDATE users SET password_reset_token = 'open' || id WHERE id IN (3, 5)");
  const auto finished = run_job();
  EXPECT_EQ(finished.code(), 4) << finished.err;
  EXPECT_THAT(refusal_of(finished).message, AllOf(HasSubstr("2 rows"), HasSubstr("(3), (5)")));
  EXPECT_THAT(run_ok(trial_.text_command("failures")), HasSubstr("token-expires"));
  trial_.db().exec("UPDATE users SET password_reset_token = NULL");
  expect_done();
  roll_back();
}

TEST_F(PasswordReset, ExitsWith4WhenAColumnThatWasThereIsOfAnotherType) {
  trial_.db().exec("ALTER TABLE users ADD COLUMN password_reset_token_expires_at text");
  const auto finished = run_job();
  EXPECT_EQ(finished.code(), 4) << finished.err;
  EXPECT_THAT(refusal_of(finished).message, HasSubstr("password_reset_token_expires_at text"));
  roll_back();
}

TEST_F(PasswordReset, RollbackInterruptedIsFinishedByTheNext) {
  expect_done();
  for (const char* place : {"rollback_after_step", "rollback_before_note:2", "rollback_after_step:3"})
    roll_back_and_die_at(place);
  roll_back();
}

TEST_F(PasswordReset, ComesAndGoesWhileUsersAreAtWork) {
  expect_to_come_and_go_under_traffic(
      {"after_ddl", "after_commit:2", "after_ddl_commit:1"},
      {"rollback_after_step:2", "rollback_before_note:1", "rollback_after_step:2"});
}

}  // namespace
}  // namespace pgsluice::test
