// Goal: the jobs that we ship do what their comments say on the table of the fixture, also when they are
// interrupted at any step, find half of their work done, or are taken back. Method: the files of jobs/ as
// they are.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/shipped_job.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(UsersFixture, HasAMillionRowsAndMoreUnlessToldOtherwise) {
  const auto text = read_file(of_source("tests/fixtures/users.sql"));
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
  Onboarding() { trial_.job_file(of_source("jobs/onboarding-completed.toml")); }

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
  EXPECT_EQ(distribution(), std::to_string(user_rows()) + " 1");
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
  EXPECT_EQ(committed, user_rows());  // after_index: the fill was done
  expect_done();
  EXPECT_EQ(distribution(), std::to_string(user_rows()) + " 0");
  EXPECT_EQ(trial_.db().number("SELECT sum(rows_changed) FROM pgsluice.range"), user_rows());  // none twice
}

TEST_F(Onboarding, CanBeTakenBackAndRunAgain) {
  expect_done();
  roll_back();
  expect_done();
  EXPECT_EQ(distribution(), std::to_string(user_rows()) + " 0");
}

TEST_F(Onboarding, FinishesWhatSomebodyBeganByHand) {
  trial_.db().exec(
      "ALTER TABLE users ADD COLUMN onboarding_completed boolean;"
      "UPDATE users SET onboarding_completed = true WHERE id % 10 = 0;"
      "UPDATE users SET onboarding_completed = false WHERE id BETWEEN 11 AND 14");
  const auto by_hand = distribution();
  expect_done();
  sign_up("later");
  EXPECT_EQ(distribution(), std::to_string(user_rows() - 4) + " 5") << "began as " << by_hand;
  EXPECT_LT(trial_.db().number("SELECT sum(rows_changed) FROM pgsluice.range"), user_rows());
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

}  // namespace
}  // namespace pgsluice::test
