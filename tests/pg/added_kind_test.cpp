// Goal: a kind of step is what its class says, and nothing else: one that the engine has never heard of is
// read, planned, run, killed, resumed, verified and rolled back. Method: a view kind, added by the test
// program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "kinds/table_of_kinds.hpp"
#include "pg/view_kind.hpp"
#include "pgsluice/engine.hpp"
#include "pgsluice/job_file.hpp"
#include "support/db.hpp"
#include "support/process.hpp"
#include "support/shared_server.hpp"
#include "support/temp_folder.hpp"

namespace pgsluice::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr const char* kJob = R"toml(
name = "views"

[[step]]
kind = "sql"
name = "table"
up = "CREATE TABLE users (id int, is_active boolean)"
down = "DROP TABLE users"

[[step]]
kind = "view"
name = "active_users"
query = "SELECT id FROM users WHERE is_active"
)toml";

struct SilentSink : EventSink {
  void publish(Event /*event*/) override {}
};

class AddedKindTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (!find_kind("view")) add_kind(entry_of<ViewKind>());
  }

  AddedKindTest() { std::ofstream(file_) << kJob; }

  test::Finished run(std::map<std::string, std::string> env = {}) {
    return test::run({PGSLUICE_VIEW_PROGRAM, {dsn_, file_.string()}, std::move(env)});
  }
  std::string state_of(const std::string& step) {
    return db_.text("SELECT state FROM pgsluice.step WHERE name = '" + step + "'");
  }
  bool has_view() { return db_.yes("SELECT to_regclass('active_users') IS NOT NULL"); }
  Job job() const { return parse_job(kJob, "views.toml", "").job; }

  test::TempFolder folder_;
  std::filesystem::path file_ = folder_.path() / "views.toml";
  std::string dsn_ = test::fresh_database();
  test::Db db_{dsn_};
  Engine engine_{dsn_};
  SilentSink sink_;
};

TEST_F(AddedKindTest, IsReadAsTheJobFileHasIt) {
  const auto file = parse_job(kJob, "views.toml", "");
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file.job.steps.at(1).kind(), "view");
  EXPECT_THAT(
      step_definition(file.job.steps.at(1)),
      ElementsAre("kind = view", "name = active_users", "query = SELECT id FROM users WHERE is_active"));
  const auto wrong =
      parse_job("name = \"v\"\n[[step]]\nkind = \"view\"\nname = \"a\"\nsql = \"x\"\n", "v", "");
  ASSERT_EQ(wrong.diagnostics.size(), 2U);
  EXPECT_THAT(wrong.diagnostics.at(0).message, HasSubstr("query"));
  EXPECT_THAT(wrong.diagnostics.at(1).message, HasSubstr("unknown key \"sql\""));
}

TEST_F(AddedKindTest, IsPlannedWithItsStatementsAndItsWayBack) {
  const auto plan = engine_.plan(job());
  const auto& step = plan.steps.at(1);
  EXPECT_EQ(step.kind, "view");
  EXPECT_EQ(step.statements.back().sql,
            "CREATE VIEW \"active_users\" AS SELECT id FROM users WHERE is_active");
  EXPECT_EQ(step.undo, "DROP VIEW \"active_users\"");
}

TEST_F(AddedKindTest, IsCheckedBeforeTheRunWrites) {
  db_.exec("CREATE TABLE active_users (id int)");
  const auto finished = run();
  EXPECT_EQ(finished.code(), static_cast<int>(ExitCode::kRefused));
  EXPECT_THAT(finished.err, HasSubstr("the name active_users is taken"));
  EXPECT_FALSE(db_.yes("SELECT to_regclass('users') IS NOT NULL"));
}

TEST_F(AddedKindTest, GoesOnAfterItWasKilledBeforeItsCommit) {
  EXPECT_EQ(run({{"PGSLUICE_FAILPOINT", "after_ddl:2"}}).exit.signal, SIGKILL);
  EXPECT_EQ(state_of("active_users"), "running");
  EXPECT_FALSE(has_view());
  EXPECT_EQ(run().code(), 0);
  EXPECT_TRUE(has_view());
  EXPECT_EQ(state_of("active_users"), "done");
}

TEST_F(AddedKindTest, IsDoneOnceAfterItWasKilledBehindItsCommit) {
  EXPECT_EQ(run({{"PGSLUICE_FAILPOINT", "after_ddl_commit:2"}}).exit.signal, SIGKILL);
  EXPECT_TRUE(has_view());
  EXPECT_EQ(run().code(), 0) << "the view is there, and nobody makes it again";
  EXPECT_EQ(state_of("active_users"), "done");
}

TEST_F(AddedKindTest, IsVerifiedAndRolledBack) {
  ASSERT_EQ(run().code(), 0);
  EXPECT_EQ(engine_.verify(job(), sink_), ExitCode::kDone);
  db_.exec("ALTER VIEW active_users RENAME TO elsewhere");
  EXPECT_EQ(engine_.verify(job(), sink_), ExitCode::kMismatch);
  db_.exec("ALTER VIEW elsewhere RENAME TO active_users");
  EXPECT_EQ(engine_.rollback(job(), sink_), ExitCode::kDone);
  EXPECT_FALSE(has_view());
  EXPECT_FALSE(db_.yes("SELECT to_regclass('users') IS NOT NULL"));
  EXPECT_EQ(state_of("active_users"), "rolled back");
}

TEST_F(AddedKindTest, KeepsItsDefinitionOnceItIsDone) {
  ASSERT_EQ(run().code(), 0);
  std::string changed = kJob;
  changed.replace(changed.find("WHERE is_active"), 15, "WHERE NOT is_active");
  std::ofstream(file_) << changed;
  const auto finished = run();
  EXPECT_EQ(finished.code(), static_cast<int>(ExitCode::kRefused));
  EXPECT_THAT(finished.err, HasSubstr("exists with another definition"));
}

}  // namespace
}  // namespace pgsluice::engine
