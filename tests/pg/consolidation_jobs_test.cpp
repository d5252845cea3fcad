// Goal: the 27 shipped changes go live in order, each can be repeated and taken back by itself, and together
// they leave nothing behind, with kills and beside users at work. Method: the folder as it is.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "pg/shipped_job.hpp"
#include "support/environment.hpp"

namespace pgsluice::test {
namespace {

using testing::HasSubstr;
using Paths = std::vector<std::filesystem::path>;

const char* const kFolder = "jobs/verification-consolidation";

Paths files() {
  Paths found;
  for (const auto& entry : std::filesystem::directory_iterator(of_source(kFolder))) {
    if (entry.path().extension() == ".toml") found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

class Consolidation : public ShippedJob {
 protected:
  Consolidation() { trial_.job_file(of_source(kFolder)); }

  void expect_exit_0(const std::string& said) {
    const auto finished = verb(said);
    EXPECT_EQ(finished.code(), 0) << said << finished.out << finished.err;
  }

  void roll_back_all() {
    auto all = files();
    std::reverse(all.begin(), all.end());
    for (const auto& file : all) {
      SCOPED_TRACE(file);
      trial_.job_file(file);
      expect_exit_0("rollback");
    }
    trial_.job_file(of_source(kFolder));
  }

  std::int64_t jobs_that_are(const std::string& state) {
    return trial_.db().number("SELECT count(*) FROM pgsluice.job WHERE state = '" + state + "'");
  }
};

TEST_F(Consolidation, Are27InOrderAndEndWith0) {
  EXPECT_EQ(files().size(), 27U);
  expect_exit_0("run");
  EXPECT_EQ(jobs_that_are("done"), 27);
  EXPECT_THAT(trial_.db().column("SELECT split_part(name, '-', 2) FROM pgsluice.job ORDER BY job_id"),
              testing::ElementsAreArray(
                  trial_.db().column("SELECT to_char(n, 'FM00') FROM generate_series(1, 27) AS n")));
  const auto after = shape();
  expect_exit_0("run");
  EXPECT_EQ(shape(), after);
  roll_back_all();
  EXPECT_EQ(jobs_that_are("rolled back"), 27);
  expect_as_before();
}

TEST_F(Consolidation, EachIsTakenBackByItselfAndFindsWhatIsThere) {
  auto before = shape_before_;
  for (const auto& file : files()) {
    SCOPED_TRACE(file);
    trial_.job_file(file);
    expect_exit_0("run");
    const auto after = shape();
    expect_exit_0("rollback");
    EXPECT_EQ(shape(), before);
    expect_exit_0("run");
    trial_.db().exec("DROP SCHEMA pgsluice CASCADE");  // applied, as far as anybody knows, by other hands
    expect_exit_0("run");
    EXPECT_EQ(shape(), after);
    before = after;
  }
}

TEST_F(Consolidation, GoOnAfterSigkillWhereverTheyAre) {
  for (const char* place : {"after_ddl_commit:4", "after_ddl:5", "after_index:2", "after_index:3",
                            "after_update:2", "after_commit:3", "after_step:2"}) {
    SCOPED_TRACE(place);
    run_and_die_at(place);
  }
  expect_exit_0("run");
  EXPECT_EQ(jobs_that_are("done"), 27);
  EXPECT_EQ(trial_.db().number("SELECT sum(rows_changed) FROM pgsluice.range"), user_rows());
  trial_.job_file(files().at(26));
  roll_back_and_die_at("rollback_after_step");
  expect_exit_0("rollback");
  trial_.job_file(files().at(25));
  for (const char* place : {"rollback_after_step", "rollback_before_note:2", "rollback_after_step"})
    roll_back_and_die_at(place);
  roll_back_all();
  expect_as_before();
}

TEST_F(Consolidation, OneIsMarkedAsAppliedOrAsRolledBack) {
  trial_.job_file(files().at(22));
  expect_exit_0("run");
  trial_.db().exec("ALTER TABLE users DROP COLUMN phone");
  const auto after = verb("resolve", {"add-columns", "--rolled-back"});
  EXPECT_EQ(after.code(), 0) << after.out << after.err;
  expect_exit_0("run");
  EXPECT_EQ(trial_.db().number("SELECT count(phone) FROM users"), 0);  // it is there again
  EXPECT_EQ(verb("resolve", {"add-columns", "--rolled-back"}).code(), 0);
  EXPECT_EQ(verb("resolve", {"add-columns", "--applied"}).code(), 0);
  EXPECT_THAT(run_ok(trial_.text_command("status")), HasSubstr("done"));
}

TEST_F(Consolidation, ComeAndGoWhileUsersAreAtWork) {
  const auto traffic = users_at_work();
  for (const char* place : {"after_ddl_commit:9", "after_index:2", "after_commit:3"}) run_and_die_at(place);
  expect_exit_0("run");
  trial_.job_file(files().at(26));
  expect_exit_0("rollback");
  trial_.job_file(files().at(25));
  for (const char* place : {"rollback_after_step", "rollback_before_note:2", "rollback_after_step"})
    roll_back_and_die_at(place);
  roll_back_all();
  expect_that_nobody_was_failed(*traffic);
}

}  // namespace
}  // namespace pgsluice::test
