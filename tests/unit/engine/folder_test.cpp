// Goal: where a job of a folder stands follows from the ledger and the file alone, and twins are noticed.
#include <gmock/gmock.h>

#include "engine/folder/other_versions.hpp"
#include "engine/folder/place.hpp"
#include "engine/folder/standing.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

StepOverview step(const std::string& name, StepState state, const std::string& error = {}) {
  StepOverview overview;
  overview.name = name;
  overview.kind = "sql";
  overview.state = state;
  overview.error = error;
  return overview;
}

JobOverview job(JobState state, std::vector<StepOverview> steps) {
  JobOverview overview;
  overview.name = "job";
  overview.state = state;
  overview.steps = std::move(steps);
  return overview;
}

JobStanding standing(const JobOverview& known, const FileChange& change = {}) {
  return judge(&known, change).standing;
}

TEST(Standing, IsPendingUntilAStepBegins) {
  EXPECT_EQ(judge(nullptr, {}).standing, JobStanding::kPending);
  EXPECT_EQ(standing(job(JobState::kReady, {step("a", StepState::kWaiting)})), JobStanding::kPending);
  EXPECT_EQ(standing(job(JobState::kReady, {step("a", StepState::kDone), step("b", StepState::kWaiting)})),
            JobStanding::kInterrupted);
}

TEST(Standing, TellsALiveRunFromOneThatIsGone) {
  auto known = job(JobState::kRunning, {step("a", StepState::kRunning)});
  EXPECT_EQ(standing(known), JobStanding::kInterrupted);
  known.runs.emplace_back();
  EXPECT_EQ(standing(known), JobStanding::kInterrupted) << "the run's lease has ended";
  known.runs.back().is_live = true;
  EXPECT_EQ(standing(known), JobStanding::kInProgress);
}

TEST(Standing, GivesTheReasonOfAFailure) {
  const auto known = job(JobState::kFailed, {step("a", StepState::kDone),
                                             step("b", StepState::kFailed, "column \"v\" does not exist")});
  const auto entry = judge(&known, {});
  EXPECT_EQ(entry.standing, JobStanding::kFailed);
  EXPECT_EQ(entry.reason, "step \"b\": column \"v\" does not exist");
}

TEST(Standing, IsNotAppliedWhileARollbackIsHalfDone) {
  EXPECT_EQ(standing(job(JobState::kDone, {step("a", StepState::kDone)})), JobStanding::kApplied);
  EXPECT_EQ(standing(job(JobState::kDone, {step("a", StepState::kDone), step("b", StepState::kRolledBack)})),
            JobStanding::kInterrupted);
}

TEST(Standing, ChangedMeansThatSomethingIsThereWhichTheFileNoLongerSays) {
  const auto applied = job(JobState::kDone, {step("a", StepState::kDone)});
  const auto pending = job(JobState::kReady, {step("a", StepState::kWaiting)});
  const FileChange mended{false, {"step \"a\":", "- x", "+ y"}};
  const FileChange refused{true, {"step \"a\":", "- x", "+ y"}};
  EXPECT_EQ(standing(applied, refused), JobStanding::kChanged);
  EXPECT_EQ(standing(applied, mended), JobStanding::kChanged) << "a step was added, or may be rewritten";
  EXPECT_EQ(standing(pending, mended), JobStanding::kPending) << "run takes the file as it is";
  EXPECT_THAT(judge(&applied, refused).difference, ElementsAre("step \"a\":", "- x", "+ y"));
}

TEST(Standing, AStepThatTheFileAddsIsADifference) {
  const ledger::StepDefinition a{"a", "sql", {"up = SELECT 1"}};
  const ledger::StepDefinition b{"b", "sql", {"up = SELECT 2"}};
  const auto change = file_change({}, {a}, {a, b});
  EXPECT_FALSE(change.is_refused);
  EXPECT_THAT(change.difference, ElementsAre("step \"b\" is new"));
}

FiledJob filed(const std::string& file, const std::string& name, const std::string& sql) {
  Job of_file;
  of_file.name = name;
  of_file.steps.emplace_back(SqlStep{"change", {sql}, {}});
  return {file, of_file};
}

TEST(Twins, AreFilesWithOneJobName) {
  EXPECT_THAT(find_twins({filed("1.toml", "a", "SELECT 1"), filed("2.toml", "b", "SELECT 2")}), IsEmpty());
  EXPECT_THAT(find_twins({filed("1.toml", "a", "SELECT 1"), filed("2.toml", "a", "SELECT 2")}),
              ElementsAre("job name \"a\" is in two files: \"1.toml\" and \"2.toml\""));
}

TEST(Twins, AreFilesWithTheSameStepsHoweverTheyAreWritten) {
  EXPECT_THAT(
      find_twins({filed("1.toml", "a", "ALTER TABLE t ADD COLUMN v int"),
                  filed("2.toml", "b", "alter table T  add column V int -- again")}),
      ElementsAre("the same steps are in two files: \"1.toml\" (job \"a\") and \"2.toml\" (job \"b\")"));
}

TEST(Place, IsFoundByTheJobsNameOrItsFile) {
  const std::vector<FiledJob> jobs = {filed("jobs/1.toml", "a", "SELECT 1"),
                                      filed("jobs/2.toml", "b", "SELECT 2")};
  EXPECT_EQ(place_in_folder(jobs, "b"), 1U);
  EXPECT_EQ(place_in_folder(jobs, "jobs/1.toml"), 0U);
  EXPECT_EQ(place_in_folder(jobs, "2.toml"), 1U);
  try {
    place_in_folder(jobs, "c");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kNoSuchJob);
    EXPECT_THAT(error.what(), HasSubstr("\"c\""));
  }
}

TEST(OtherTools, AreKnownByTheShapeOfTheirTables) {
  EXPECT_EQ(tool_of("alembic_version", {"version_num"}), "Alembic");
  EXPECT_EQ(tool_of("schema_migrations", {"version"}), "Rails");
  EXPECT_EQ(tool_of("schema_migrations", {"dirty", "version"}), "golang-migrate");
  EXPECT_EQ(tool_of("flyway_schema_history", {"checksum", "installed_rank", "success", "version"}), "Flyway");
  EXPECT_EQ(tool_of("schema_migrations", {"id"}), "") << "somebody's own table";
}

}  // namespace
}  // namespace pgsluice::engine
