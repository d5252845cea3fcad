// Goal: the jobs that we ship do what their comments say on the table of the fixture, also when they are
// interrupted at any step, find half of their work done, or are taken back. Method: the files of jobs/ as
// they are.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/trial.hpp"
#include "support/environment.hpp"
#include "support/server_user.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const std::filesystem::path kSource = PGSLUICE_SOURCE_FOLDER;

void make_users(const Trial& trial, int rows) {
  run_ok({postgres_program("psql"),
          {"-XqAt", "-d", trial.dsn(), "-v", "rows=" + std::to_string(rows), "-f",
           kSource / "tests/fixtures/users.sql"}},
         4 * kPatience);
}

const int kRows = long_run() ? 1'200'000 : 20'000;

class ShippedJob : public testing::Test {
 protected:
  ShippedJob() { make_users(trial_, kRows); }

  /// Runs it with a SIGKILL at this place, and asks that it did happen.
  void run_and_die_at(const std::string& place) {
    auto command = trial_.command("run");
    command.env["PGSLUICE_FAILPOINT"] = place;
    const auto finished = test::run(command, 2 * kPatience);
    EXPECT_EQ(finished.exit, (Exit{-1, SIGKILL})) << place << finished.out << finished.err;
  }

  void expect_done() {
    const auto finished = trial_.run();
    EXPECT_EQ(finished.code(), 0) << finished.out << finished.err;
    EXPECT_EQ(trial_.verb("verify").code(), 0);
    EXPECT_EQ(trial_.db().text("SELECT state FROM pgsluice.job"), "done");
  }

  void roll_back() {
    const auto finished = trial_.verb("rollback");
    EXPECT_EQ(finished.code(), 0) << finished.out << finished.err;
    EXPECT_EQ(shape(), shape_before_);
    EXPECT_EQ(trial_.db().text("SELECT state FROM pgsluice.job"), "rolled back");
  }

  /// Columns with their defaults, and indexes.
  std::string shape() {
    return trial_.db().text(
        "SELECT (SELECT string_agg(attname || coalesce(' ' || pg_get_expr(adbin, adrelid), ''), ',' ORDER BY "
        "attname)"
        " FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum"
        " WHERE attrelid = 'users'::regclass AND attnum > 0 AND NOT attisdropped) || ';' ||"
        " (SELECT string_agg(pg_get_indexdef(indexrelid) || indisvalid, ',' ORDER BY 1) FROM pg_index"
        " WHERE indrelid = 'users'::regclass)");
  }

  Trial trial_;
  std::string shape_before_;
};

TEST(UsersFixture, HasAMillionRowsAndMoreUnlessToldOtherwise) {
  const auto text = read_file(kSource / "tests/fixtures/users.sql");
  EXPECT_THAT(text, HasSubstr("\\set rows 1200000"));
  Trial trial;
  make_users(trial, 1'000);
  EXPECT_EQ(trial.db().number("SELECT count(*) FROM users"), 1'000);
  EXPECT_GT(trial.db().number("SELECT max(id) FROM users"), 1'000);  // gaps
  EXPECT_EQ(trial.db().text("SELECT md5(string_agg(u::text, ',' ORDER BY id)) FROM users u"),
            trial.db().text("SELECT md5(string_agg(u::text, ',' ORDER BY id)) FROM users u"));
  trial.db().exec(
      "INSERT INTO users (email, password_digest, full_name) VALUES ('new@example.com', 'x', 'New')");
}

// ----- onboarding-completed

class Onboarding : public ShippedJob {
 protected:
  Onboarding() {
    shape_before_ = shape();
    trial_.job_file(kSource / "jobs/onboarding-completed.toml");
  }

  void sign_up(const std::string& name) {
    trial_.db().exec("INSERT INTO users (email, password_digest, full_name) VALUES ('" + name +
                     "@example.com', 'x', '" + name + "')");
  }
  std::string distribution() {
    return trial_.db().text(
        "SELECT count(*) FILTER (WHERE onboarding_completed) || ' ' || count(*) FILTER (WHERE NOT "
        "onboarding_completed)"
        " FROM users");
  }
};

TEST_F(Onboarding, MarksThoseWhoAreHereAndNotThoseWhoCome) {
  const auto checked = trial_.verb("check");
  EXPECT_EQ(checked.code(), 0) << checked.out;
  EXPECT_TRUE(trial_.is_untouched());
  Db locker(trial_.dsn());
  locker.exec("BEGIN; SELECT 1 FROM users WHERE id = (SELECT max(id) FROM users) FOR UPDATE");
  // The locked row keeps add-column waiting, too: it is let go once that wait is seen.
  Process process(trial_.command("run"));
  wait_for(
      [&] {
        return trial_.db().yes("SELECT to_regclass('pgsluice.event') IS NOT NULL") &&
               !trial_.logged("batch_failed").empty();
      },
      "the wait for the lock");
  locker.exec("COMMIT");
  wait_for(
      [&] { return trial_.db().yes("SELECT state = 'done' FROM pgsluice.step WHERE name = 'add-column'"); },
      "the column");
  sign_up("newcomer");
  EXPECT_EQ(process.wait().code, 0) << process.out() << process.err();
  EXPECT_EQ(distribution(), std::to_string(kRows) + " 1");
  EXPECT_EQ(trial_.db().text("SELECT onboarding_completed FROM users WHERE email = 'newcomer@example.com'"),
            "f");
  roll_back();
}

TEST_F(Onboarding, GoesOnAfterSigkillAtEveryStep) {
  for (const char* place :
       {"after_ddl", "after_ddl_commit", "after_cut", "after_update:2", "after_commit:3", "after_index"}) {
    SCOPED_TRACE(place);
    run_and_die_at(place);
  }
  const auto committed = trial_.db().number("SELECT count(*) FROM users WHERE onboarding_completed");
  EXPECT_EQ(committed, kRows);  // after_index: the fill was done
  expect_done();
  EXPECT_EQ(distribution(), std::to_string(kRows) + " 0");
  EXPECT_EQ(trial_.db().number("SELECT sum(rows_changed) FROM pgsluice.range"), kRows);  // none twice
}

TEST_F(Onboarding, CanBeTakenBackAndRunAgain) {
  expect_done();
  roll_back();
  expect_done();
  EXPECT_EQ(distribution(), std::to_string(kRows) + " 0");
}

TEST_F(Onboarding, FinishesWhatSomebodyBeganByHand) {
  trial_.db().exec(
      "ALTER TABLE users ADD COLUMN onboarding_completed boolean;"
      "UPDATE users SET onboarding_completed = true WHERE id % 10 = 0;"
      "UPDATE users SET onboarding_completed = false WHERE id BETWEEN 11 AND 14");
  const auto by_hand = distribution();
  expect_done();
  sign_up("later");
  EXPECT_EQ(distribution(), std::to_string(kRows - 4) + " 5") << "began as " << by_hand;
  EXPECT_LT(trial_.db().number("SELECT sum(rows_changed) FROM pgsluice.range"), kRows);
}

TEST_F(Onboarding, ExitsWith4WhenTheDistributionIsNotAsMeant) {
  trial_.db().exec("ALTER TABLE users ADD COLUMN onboarding_completed boolean DEFAULT false");
  const auto finished = trial_.run();
  EXPECT_EQ(finished.code(), 4) << finished.err;
  EXPECT_THAT(refusal_of(finished).message,
              AllOf(HasSubstr("distribution"), HasSubstr("expects t and found f")));
  EXPECT_EQ(trial_.verb("verify").code(), 4);
}

TEST_F(Onboarding, TellsItsStoryInTheEventLog) {
  run_and_die_at("after_commit:2");
  expect_done();
  const auto starts = trial_.logged("run_started");
  ASSERT_EQ(starts.size(), 2U);
  EXPECT_FALSE(starts[0].at("resumed").get<bool>());
  EXPECT_TRUE(starts[1].at("resumed").get<bool>());
  std::vector<std::string> ended;
  for (const auto& event : trial_.logged("step_ended")) ended.push_back(event.at("step"));
  EXPECT_THAT(ended,
              testing::ElementsAre("add-column", "fill", "index-pending", "nobody-left", "distribution"));
  EXPECT_EQ(trial_.logged("statement").size(), 3U);  // two of add-column, one index
  EXPECT_EQ(trial_.logged("verify").size(), 2U);
  EXPECT_EQ(trial_.logged("summary").back().at("exit_code"), 0);
  const auto history = run_ok(trial_.text_command("history"));
  EXPECT_THAT(history, AllOf(HasSubstr("add-column"), HasSubstr("CREATE INDEX CONCURRENTLY"),
                             HasSubstr("nobody-left")));
}

TEST_F(Onboarding, ReadsInEveryEnvironment) {
  for (const char* environment : {"development", "staging", "production"}) {
    EXPECT_EQ(trial_.verb("plan", {"--env", environment}).code(), 0) << environment;
  }
  EXPECT_EQ(trial_.verb("plan", {"--env", "prodution"}).code(), 78);
}

// ----- password-reset

class PasswordReset : public ShippedJob {
 protected:
  PasswordReset() {
    shape_before_ = shape();
    trial_.job_file(kSource / "jobs/password-reset.toml");
  }

  void expect_usable() {
    trial_.db().exec("UPDATE users SET password_reset_token = 'a' WHERE id = 1");
    EXPECT_ANY_THROW(trial_.db().exec("UPDATE users SET password_reset_token = 'a' WHERE id = 2"));
    EXPECT_EQ(trial_.db().number("SELECT sum(password_reset_attempts) FROM users"), 0);
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
                          HasSubstr("DROP COLUMN IF EXISTS")));
  EXPECT_TRUE(trial_.is_untouched());
}

TEST_F(PasswordReset, GoesOnAfterSigkillAtEveryStep) {
  for (const char* place : {"after_register", "after_ddl", "after_ddl_commit", "after_index"}) {
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

TEST_F(PasswordReset, ExitsWith4WhenAColumnThatWasThereIsOfAnotherType) {
  trial_.db().exec("ALTER TABLE users ADD COLUMN password_reset_token_expires_at text");
  const auto finished = trial_.run();
  EXPECT_EQ(finished.code(), 4) << finished.err;
  EXPECT_THAT(refusal_of(finished).message, HasSubstr("password_reset_token_expires_at text"));
  EXPECT_EQ(trial_.verb("rollback").code(), 0);
  EXPECT_EQ(shape(), shape_before_);
}

TEST_F(PasswordReset, RollbackInterruptedIsFinishedByTheNext) {
  expect_done();
  auto command = trial_.command("rollback");
  command.env["PGSLUICE_FAILPOINT"] = "rollback_after_step";
  EXPECT_EQ(test::run(command, 2 * kPatience).exit, (Exit{-1, SIGKILL}));
  roll_back();
}

}  // namespace
}  // namespace pgsluice::test
