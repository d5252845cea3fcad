// Goal: a plan shows each statement as it is with its lock, in text and as JSON; check ends as its findings
// say.
#include "cli/results/plan_text.hpp"

#include <gmock/gmock.h>

namespace pgsluice::cli {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

Plan sample() {
  PlannedStep fill;
  fill.name = "fill";
  fill.kind = "backfill";
  fill.state = StepState::kRunning;
  fill.statements = {{"UPDATE users\n   SET a = 1", "ROW EXCLUSIVE on \"users\"", true}};
  fill.walk = "keyset along (\"id\")";
  fill.walk_reason = "the primary key";
  fill.rows_estimated = 1'200'000;
  fill.wal_bytes_estimated = 290LL << 20;
  fill.duration_estimated = std::chrono::seconds(92);
  fill.undo = "no before-images are kept";
  fill.notes = {"trigger \"audit\" will fire"};
  Plan plan;
  plan.job = "fill-users";
  plan.target = "database \"app\"";
  plan.steps = {fill};
  return plan;
}

TEST(PlanText, ShowsStatementsAsTheyAreWithLockWalkAndEstimate) {
  EXPECT_THAT(
      plan_lines(sample()),
      ElementsAre("plan of job \"fill-users\" for database \"app\"; nothing was written", "",
                  "1. backfill fill (running)", "     UPDATE users", "        SET a = 1",
                  "       lock: ROW EXCLUSIVE on \"users\"; sent once per batch",
                  "   walk: keyset along (\"id\"): the primary key",
                  "   estimate: about 1,200,000 rows, 290.0 MB of WAL, 1m32s",
                  "   cannot be undone: no before-images are kept", "   note: trigger \"audit\" will fire"));
}

TEST(PlanText, SaysWhichBatchAStatementGoesWith) {
  Plan plan = sample();
  plan.steps.front().statements.front().when = "last batch of a range";
  EXPECT_THAT(plan_lines(plan),
              Contains("       lock: ROW EXCLUSIVE on \"users\"; sent with the last batch of a range"));
}

TEST(PlanText, LeavesOutWhatAStepDoesNotHave) {
  Plan plan = sample();
  PlannedStep& step = plan.steps.front();
  step.walk.clear();
  step.rows_estimated = step.wal_bytes_estimated = 0;
  step.duration_estimated = {};
  step.state.reset();
  const auto lines = plan_lines(plan);
  EXPECT_THAT(lines, Contains("1. backfill fill"));
  EXPECT_THAT(lines, Not(Contains(HasSubstr("walk:"))));
  EXPECT_THAT(lines, Not(Contains(HasSubstr("estimate:"))));
}

TEST(PlanText, JsonHoldsTheSame) {
  const auto json = plan_json(sample());
  EXPECT_EQ(json["type"], "plan");
  const auto& step = json["steps"][0];
  EXPECT_EQ(step["number"], 1);
  EXPECT_EQ(step["statements"][0]["sql"], "UPDATE users\n   SET a = 1");
  EXPECT_EQ(step["statements"][0]["is_repeated"], true);
  EXPECT_EQ(step["duration_estimated_s"], 92.0);
  EXPECT_EQ(step["can_be_undone"], false);
}

TEST(PlanText, CheckEndsAsItsFirstRefusalSays) {
  const Finding warning{Finding::Level::kWarn, "long transactions", "pid 7 is old", "", 5};
  const Finding refusal{Finding::Level::kRefuse, "privileges", "may not update", "GRANT it", 77};
  EXPECT_EQ(exit_code_of({}), 0);
  EXPECT_EQ(exit_code_of({warning}), 0);
  EXPECT_EQ(exit_code_of({refusal, warning}), 77);
  EXPECT_EQ(findings_json("j", {refusal})["is_refused"], true);
}

TEST(PlanText, FindingsShowLevelAndHint) {
  const Finding refusal{Finding::Level::kRefuse, "privileges", "may not update", "GRANT it", 77};
  EXPECT_THAT(finding_lines({refusal}),
              ElementsAre("refuse  privileges: may not update", "        hint: GRANT it"));
}

}  // namespace
}  // namespace pgsluice::cli
