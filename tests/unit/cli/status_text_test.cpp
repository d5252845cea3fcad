// Goal: status tells the truth of the ledger: who is live, what is done, and no percent that is not reached.
#include "cli/results/status_text.hpp"

#include <gmock/gmock.h>

namespace pgsluice::cli {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

JobOverview sample() {
  StepOverview add;
  add.name = "add-column";
  add.kind = "sql";
  add.state = StepState::kDone;
  StepOverview fill;
  fill.name = "fill";
  fill.kind = "backfill";
  fill.state = StepState::kRunning;
  fill.rows_expected = 1'200'000;
  fill.rows = {650'000, 1'200, 3};
  JobOverview job;
  job.name = "fill-users";
  job.state = JobState::kRunning;
  job.control = Control::kRun;
  job.steps = {add, fill};
  job.runs = {{"3f2a1b2c-0000-4000-8000-000000000000", "db1", 4711, 0.83, true, "fill: 54 %"}};
  return job;
}

TEST(StatusText, RunningWithoutALiveRunIsInterrupted) {
  auto job = sample();
  EXPECT_EQ(state_text(job), "running");
  job.runs.front().is_live = false;
  EXPECT_EQ(state_text(job), "interrupted");
  EXPECT_THAT(job_lines(job), Contains("  run 3f2a1b2c on db1, pid 4711: gone, last heartbeat 830 ms ago"));
  EXPECT_EQ(job_json(job)["state"], "interrupted");
}

TEST(StatusText, ShowsStepsAndLiveRuns) {
  EXPECT_THAT(
      job_lines(sample()),
      ElementsAre(
          "fill-users: running", "  control: run",
          "  STEP        KIND      STATE    CHANGED  ALREADY RIGHT  QUARANTINED  PROGRESS",
          "  add-column  sql       done",
          "  fill        backfill  running  650,000          1,200            3  54.2 % of about 1,200,000",
          "  run 3f2a1b2c on db1, pid 4711, heartbeat 830 ms ago: fill: 54 %"));
}

TEST(StatusText, PercentIsWholeOnlyOnceTheStepIsDone) {
  auto job = sample();
  job.steps[1].rows.changed = 5'000'000;
  EXPECT_EQ(job_json(job)["steps"][1]["percent"], 99.0);
  job.steps[1].state = StepState::kDone;
  EXPECT_EQ(job_json(job)["steps"][1]["percent"], 100.0);
}

TEST(StatusText, ShowsWhoPausedAndWhyAndWhatFailed) {
  auto job = sample();
  job.control = Control::kPause;
  job.control_actor = "anna@db1";
  job.control_reason = "peak";
  job.steps[1].error = "division\nby zero";
  EXPECT_THAT(job_lines(job), Contains("  control: pause by anna@db1: peak"));
  EXPECT_THAT(job_lines(job), Contains("  error in fill: division by zero"));
  EXPECT_THAT(job_line(job), HasSubstr("control pause by anna@db1: peak"));
}

TEST(StatusText, ListHasALineForEachJob) {
  EXPECT_THAT(
      job_list_lines({sample()}),
      ElementsAre("JOB         STATE    CONTROL  STEP      CHANGED  PROGRESS                   LIVE RUNS",
                  "fill-users  running  run      2/2 fill  650,000  54.2 % of about 1,200,000          1"));
  EXPECT_THAT(job_list_lines({}), ElementsAre("no jobs in this database's ledger"));
}

TEST(StatusText, CountsTheStepsDoneWhenNoneIsInWork) {
  auto job = sample();
  job.steps[1].state = StepState::kDone;
  EXPECT_THAT(job_line(job), HasSubstr("step 2/2"));
  for (auto& step : job.steps) step.state = StepState::kRolledBack;
  EXPECT_THAT(job_line(job), HasSubstr("step 0/2"));
}

TEST(StatusText, AJobIsOverWhenItEndedAndNobodyWorksOnIt) {
  auto job = sample();
  EXPECT_FALSE(is_over(job));
  job.state = JobState::kDone;
  EXPECT_FALSE(is_over(job)) << "a run is still live";
  job.runs.clear();
  EXPECT_TRUE(is_over(job));
  job.state = JobState::kReady;
  EXPECT_FALSE(is_over(job)) << "the next run goes on";
}

TEST(StatusText, WatchEndsAsTheJobDid) {
  auto job = sample();
  job.state = JobState::kDone;
  EXPECT_EQ(exit_code_of(job), ExitCode::kQuarantined);
  job.steps[1].rows.quarantined = 0;
  EXPECT_EQ(exit_code_of(job), ExitCode::kDone);
  job.state = JobState::kFailed;
  EXPECT_EQ(exit_code_of(job), ExitCode::kFailed);
  job.state = JobState::kCancelled;
  EXPECT_EQ(exit_code_of(job), ExitCode::kCancelled);
}

}  // namespace
}  // namespace pgsluice::cli
