// Goal: the shipped job makes every user unverified, lets them verify themselves, survives kills at every
// kind of step, finishes what others began, and can be undone as if it had never run. Method: the file as it
// is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/shipped_job.hpp"

namespace pgsluice::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class EmailVerification : public ShippedJob {
 protected:
  EmailVerification() { trial_.job_file(of_source("jobs/email-verification.toml")); }

  std::string verified() {
    return trial_.db().text(
        "SELECT count(*) FILTER (WHERE email_verified) || ' ' || count(*) FILTER (WHERE NOT email_verified) "
        "FROM "
        "users");
  }

  void send_token(int user, const std::string& hash) {
    trial_.db().exec(
        "INSERT INTO email_verification_tokens (user_id, email, token_hash, expires_at) SELECT id, email, '" +
        hash + "', now() + interval '1 hour' FROM users WHERE id = " + std::to_string(user));
  }
  bool confirm(const std::string& hash) {
    return trial_.db().yes("SELECT email_verification_confirm('" + hash + "', '192.0.2.7')");
  }

  void expect_refused(const std::string& statement) {
    EXPECT_ANY_THROW(trial_.db().exec(statement)) << statement;
  }
};

TEST_F(EmailVerification, CanBeUsedAndIsUndoneAsIfItHadNeverRun) {
  const auto plan = run_ok(trial_.text_command("plan"));
  EXPECT_THAT(plan, AllOf(HasSubstr("email_verified IS NULL"), HasSubstr("CREATE TRIGGER")));
  EXPECT_EQ(trial_.verb("check").code(), 0);
  EXPECT_TRUE(trial_.is_untouched());
  expect_done();
  EXPECT_EQ(verified(), "0 " + std::to_string(user_rows()));
  EXPECT_EQ(trial_.db().number("SELECT count(*) FROM email_verification_audit"),
            0);  // the fill fired no trigger

  send_token(1, "hash");
  EXPECT_FALSE(confirm("another"));
  EXPECT_TRUE(confirm("hash"));
  EXPECT_FALSE(confirm("hash"));  // a token serves once
  EXPECT_EQ(verified(), "1 " + std::to_string(user_rows() - 1));
  EXPECT_EQ(trial_.db().text("SELECT string_agg(is_verified::text, ',') FROM email_verification_audit"),
            "true");
  EXPECT_EQ(trial_.db().number("SELECT count(*) FROM email_verification_attempts WHERE succeeded"), 1);
  expect_refused("UPDATE email_verification_audit SET is_verified = false");
  expect_refused("UPDATE users SET email_verified = NULL WHERE id = 2");
  sign_up("newcomer");
  EXPECT_EQ(trial_.db().number("SELECT count(*) FROM email_verification_outbox"), 1);
  trial_.db().exec(
      "UPDATE users SET email = 'other@example.com' WHERE id = 1;"
      "UPDATE twin.users SET email = 'other@example.com' WHERE id = 1");
  EXPECT_EQ(verified(), "0 " + std::to_string(user_rows() + 1));  // a new address is not proved
  roll_back();
}

TEST_F(EmailVerification, GoesOnAfterSigkillAtEveryStepBothWays) {
  for (const char* place :
       {"after_ddl", "after_ddl_commit", "after_cut", "after_update:2", "after_commit:3",
        "after_ddl_commit:2", "after_ddl:3", "after_ddl_commit:4", "after_index", "after_step:2"}) {
    SCOPED_TRACE(place);
    run_and_die_at(place);
  }
  expect_done();
  EXPECT_EQ(verified(), "0 " + std::to_string(user_rows()));
  EXPECT_EQ(trial_.db().number("SELECT sum(rows_changed) FROM pgsluice.range"), user_rows());  // none twice
  for (const char* place :
       {"rollback_after_step:3", "rollback_before_note:4", "after_update:2", "after_commit:2"}) {
    SCOPED_TRACE(place);
    roll_back_and_die_at(place);
  }
  roll_back();
  expect_done();
}

TEST_F(EmailVerification, FinishesWhatSomebodyBeganByHandAndLosesNothingOfIt) {
  trial_.db().exec(
      "ALTER TABLE users ADD COLUMN email_verified boolean;"
      "UPDATE users SET email_verified = true WHERE id % 10 = 0;"
      "CREATE TABLE email_verification_settings (name text PRIMARY KEY, value jsonb NOT NULL, updated_at "
      "timestamptz NOT NULL DEFAULT now());"
      "INSERT INTO email_verification_settings VALUES ('attempts_per_hour', '99');"
      "CREATE INDEX idx_users_email_unverified ON users (created_at) WHERE NOT email_verified");
  const auto by_hand = trial_.db().number("SELECT count(*) FROM users WHERE email_verified");
  expect_done();
  EXPECT_EQ(trial_.db().number("SELECT count(*) FROM users WHERE email_verified"), by_hand);
  EXPECT_EQ(trial_.db().number("SELECT sum(rows_changed) FROM pgsluice.range"), user_rows() - by_hand);
  EXPECT_EQ(
      trial_.db().text("SELECT value FROM email_verification_settings WHERE name = 'attempts_per_hour'"),
      "99");
}

TEST_F(EmailVerification, StopsBeforeTheFillWhereTheColumnIsOfAnotherType) {
  trial_.db().exec("ALTER TABLE users ADD COLUMN email_verified text");
  const auto finished = run_job();
  EXPECT_EQ(finished.code(), 4) << finished.err;
  EXPECT_THAT(refusal_of(finished).message, HasSubstr("column-as-meant"));
  EXPECT_EQ(trial_.db().number("SELECT count(email_verified) FROM users"), 0);
  roll_back();
}

TEST_F(EmailVerification, NamesTokensOfUsersWhoAreGone) {
  run_and_die_at("after_ddl_commit:6");  // the column, four acts of NOT NULL, the tables
  send_token(1, "kept");
  trial_.db().exec(
      "INSERT INTO email_verification_tokens (user_id, email, token_hash, expires_at) VALUES (0, 'x', 'y', "
      "now() + "
      "interval '1 hour')");
  const auto finished = run_job();
  EXPECT_EQ(finished.code(), 4) << finished.out << finished.err;
  EXPECT_THAT(refusal_of(finished).message, AllOf(HasSubstr("email_verification_tokens"), HasSubstr("(2)")));
  trial_.db().exec("DELETE FROM email_verification_tokens WHERE user_id = 0");
  expect_done();
  roll_back();
}

TEST_F(EmailVerification, RollbackNamesUsersWhoVerifiedThemselvesSince) {
  expect_done();
  trial_.db().exec("UPDATE users SET email_verified = true WHERE id IN (3, 5)");
  const auto finished = verb("rollback");
  EXPECT_EQ(finished.code(), 0) << finished.out << finished.err;
  EXPECT_THAT(run_ok(trial_.text_command("failures")),
              AllOf(HasSubstr("3"), HasSubstr("5"), HasSubstr("changed since")));
  EXPECT_EQ(shape(), shape_before_);
  // A row goes back as a whole or not at all: these two keep the updated_at of the fill.
  const std::string others = " WHERE id NOT IN (3, 5)";
  EXPECT_EQ(differences(trial_.db(), "SELECT * FROM users" + others, "SELECT * FROM twin.users" + others), 0);
}

TEST_F(EmailVerification, ReadsInEveryEnvironment) {
  for (const char* environment : {"development", "staging", "production"}) {
    EXPECT_EQ(trial_.verb("plan", {"--env", environment}).code(), 0) << environment;
  }
}

TEST_F(EmailVerification, ComesAndGoesWhileUsersAreAtWork) {
  expect_to_come_and_go_under_traffic({"after_ddl", "after_commit:3", "after_ddl_commit:4"},
                                      {"rollback_after_step:3", "after_update:2", "after_commit:3"});
}

}  // namespace
}  // namespace pgsluice::test
