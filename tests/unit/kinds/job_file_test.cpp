// Goal: a right job file becomes exactly the job that it describes.
// Method: whole files in, every field of the job looked at.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "pgsluice/error.hpp"
#include "unit/job/parsing.hpp"

namespace pgsluice::job {
namespace {

constexpr const char* kWhole = R"toml(name = "onboarding-completed"
description = "Mark every existing user as onboarded"
dsn = "service=app"
direct_dsn = "service=app-direct"
max_quarantined = 7

[pool]
lanes = 4

[batch]
rows = 2000
target = "250ms"
rows_min = 100
rows_max = 20000

[throttle]
replica_lag = "3s"
replica_lag_bytes = "32MB"
lock_wait = "300ms"
give_up = "2h"
ignore = ["late", "later"]

[window]
between = ["22:00", "06:30"]
timezone = "Europe/Berlin"

[[step]]
kind = "sql"
name = "add-column"
up   = ["ALTER TABLE users ADD COLUMN a boolean; ALTER TABLE users ADD b int", "SELECT 1"]
down = "ALTER TABLE users DROP COLUMN a"

[[step]]
kind = "backfill"
name = "fill"
table = "public.Users"
key = ["Tenant_Id", "id"]
set = { z = "true", a = "lower(email)", '"Odd Col"' = 5, n = -1.5, b = false }
where = "a IS NULL"
keep = false
walk = "keyset"

[[step]]
kind = "index"
name = "index"
sql = "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON users (a);"

[[step]]
kind = "verify"
name = "nobody-left"
query = "SELECT count(*) FROM users WHERE a IS NULL"
expect = "0"
)toml";

TEST(JobFiles, GiveEverySetting) {
  const JobFile file = parse(kWhole);
  ASSERT_EQ(mistakes(file), "");
  const Job& job = file.job;
  EXPECT_EQ(job.name, "onboarding-completed");
  EXPECT_EQ(job.description, "Mark every existing user as onboarded");
  EXPECT_EQ(job.dsn, "service=app");
  EXPECT_EQ(job.direct_dsn, "service=app-direct");
  EXPECT_EQ(job.tunables.max_quarantined, 7);
  EXPECT_EQ(job.tunables.lanes, 4);
  EXPECT_EQ(job.tunables.batch.rows, 2'000);
  EXPECT_EQ(job.tunables.batch.target, Milliseconds(250));
  EXPECT_EQ(job.tunables.batch.rows_min, 100);
  EXPECT_EQ(job.tunables.batch.rows_max, 20'000);
  EXPECT_EQ(job.tunables.throttle.replica_lag, Milliseconds(3'000));
  EXPECT_EQ(job.tunables.throttle.replica_lag_bytes, 32 << 20);
  EXPECT_EQ(job.tunables.throttle.lock_wait, Milliseconds(300));
  EXPECT_EQ(job.tunables.throttle.give_up, Milliseconds(7'200'000));
  EXPECT_EQ(job.tunables.throttle.ignore, (std::vector<std::string>{"late", "later"}));
  ASSERT_TRUE(job.window.has_value());
  EXPECT_EQ(job.window->from_minute, 1'320);
  EXPECT_EQ(job.window->to_minute, 390);
  EXPECT_EQ(job.window->timezone, "Europe/Berlin");
}

TEST(JobFiles, GiveTheStepsInTheirOrder) {
  const JobFile file = parse(kWhole);
  ASSERT_EQ(file.job.steps.size(), 4U);
  const auto& sql = *file.job.steps[0].as<SqlStep>();
  EXPECT_EQ(sql.name, "add-column");
  EXPECT_EQ(sql.up, (std::vector<std::string>{"ALTER TABLE users ADD COLUMN a boolean",
                                              "ALTER TABLE users ADD b int", "SELECT 1"}));
  EXPECT_EQ(sql.down, (std::vector<std::string>{"ALTER TABLE users DROP COLUMN a"}));
  const auto& index = *file.job.steps[2].as<IndexStep>();
  EXPECT_EQ(index.sql, "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON users (a)");
  const auto& verify = *file.job.steps[3].as<VerifyStep>();
  EXPECT_EQ(verify.query, "SELECT count(*) FROM users WHERE a IS NULL");
  EXPECT_EQ(verify.expect, "0");
}

TEST(JobFiles, KeepAssignmentsInTheOrderInWhichTheyAreWritten) {
  const JobFile file = parse(kWhole);
  const auto& fill = *file.job.steps.at(1).as<BackfillStep>();
  EXPECT_EQ(fill.table, (TableName{"public", "users"}));
  EXPECT_EQ(fill.key, (std::vector<std::string>{"tenant_id", "id"}));
  EXPECT_EQ(fill.where, "a IS NULL");
  std::string set;
  for (const Assignment& item : fill.set) set += item.column + "=" + item.expression + ";";
  EXPECT_EQ(set, "z=true;a=lower(email);Odd Col=5;n=-1.5;b=false;");
}

TEST(JobFiles, FillInTheDefaults) {
  const JobFile file = parse("name = \"n\"\n[[step]]\nkind = \"sql\"\nname = \"s\"\nup = \"SELECT 1\"\n");
  ASSERT_EQ(mistakes(file), "");
  EXPECT_EQ(file.job.tunables.lanes, 2);
  EXPECT_EQ(file.job.tunables.batch.rows, 1'000);
  EXPECT_EQ(file.job.tunables.batch.target, Milliseconds(100));
  EXPECT_EQ(file.job.tunables.throttle.give_up, Milliseconds(3'600'000));
  EXPECT_FALSE(file.job.window.has_value());
  EXPECT_TRUE(file.job.steps.at(0).as<SqlStep>()->down.empty());
}

JobFile with_batch(const std::string& batch) {
  return parse("name = \"n\"\n[batch]\n" + batch +
               "\n[[step]]\nkind = \"sql\"\nname = \"s\"\nup = \"SELECT 1\"\n");
}

TEST(JobFiles, LetUnwrittenRowCountsFollowTheWrittenOnes) {
  const auto limits = [](const std::string& text) {
    const JobFile file = with_batch(text);
    EXPECT_EQ(mistakes(file), "");
    const BatchLimits& batch = file.job.tunables.batch;
    return std::vector<std::int64_t>{batch.rows_min, batch.rows, batch.rows_max};
  };
  EXPECT_EQ(limits("rows_max = 500"), (std::vector<std::int64_t>{50, 500, 500}));
  EXPECT_EQ(limits("rows_max = 10"), (std::vector<std::int64_t>{10, 10, 10}));
  EXPECT_EQ(limits("rows = 20"), (std::vector<std::int64_t>{20, 20, 50'000}));
  EXPECT_EQ(limits("rows_min = 5000"), (std::vector<std::int64_t>{5'000, 5'000, 50'000}));
  EXPECT_EQ(limits("rows = 100000\nrows_max = 100000"), (std::vector<std::int64_t>{50, 100'000, 100'000}));
}

TEST(JobFiles, ExpectWhatTheServerWrites) {
  const auto expect = [](const std::string& value) {
    const JobFile file = parse(
        "name = \"n\"\n[[step]]\nkind = \"verify\"\nname = \"v\"\nquery = \"SELECT 1\"\nexpect = " + value);
    EXPECT_EQ(mistakes(file), "") << value;
    return file.job.steps.at(0).as<VerifyStep>()->expect;
  };
  EXPECT_EQ(expect("0"), "0");
  EXPECT_EQ(expect("-5"), "-5");
  EXPECT_EQ(expect("true"), "t");
  EXPECT_EQ(expect("false"), "f");
  EXPECT_EQ(expect("0.5"), "0.5");
  EXPECT_EQ(expect("\"true\""), "true");
}

TEST(JobFiles, TakeSetFromATableOfItsOwnToo) {
  const JobFile file = parse(
      "name = \"n\"\n[[step]]\nkind = \"backfill\"\nname = \"f\"\ntable = \"t\"\nkey = \"id\"\n"
      "[step.set]\nb = \"\"\"\n  a +\n  1\n\"\"\"\na = 0\n");
  ASSERT_EQ(mistakes(file), "");
  const auto& fill = *file.job.steps.at(0).as<BackfillStep>();
  EXPECT_EQ(fill.set.at(0).expression, "a +\n  1");
  EXPECT_EQ(fill.set.at(1).expression, "0");
  EXPECT_EQ(fill.key, (std::vector<std::string>{"id"}));
}

TEST(JobFiles, AreReadFromDisk) {
  const auto path = std::filesystem::temp_directory_path() / "pgsluice-job-file-test.toml";
  std::ofstream(path) << kWhole;
  const JobFile file = load_job_file(path, "");
  std::filesystem::remove(path);
  EXPECT_EQ(mistakes(file), "");
  EXPECT_EQ(file.job.steps.size(), 4U);
}

TEST(JobFiles, ThatCannotBeReadEndTheRun) {
  for (const auto& path :
       {std::filesystem::path("/no/such/job.toml"), std::filesystem::temp_directory_path()}) {
    try {
      load_job_file(path, "");
      FAIL() << path;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kJobFile);
      EXPECT_NE(std::string(error.what()).find(path.string()), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace pgsluice::job
