// Goal: only steps that have left nothing behind may change. Method: steps as the ledger knows them, compared
// with a file's.
#include "kinds/definition_change/definition_change.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgsluice::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ledger::KnownStep known(const std::string& name, const std::string& kind, StepState state) {
  ledger::KnownStep step;
  step.record.name = name;
  step.record.kind = kind;
  step.record.state = state;
  step.definition = {"name = " + name, "text = 1"};
  return step;
}

ledger::StepDefinition given(const std::string& name, const std::string& text = "1") {
  return {name, "sql", {"name = " + name, "text = " + text}};
}

DefinitionChange change_of(const std::vector<ledger::KnownStep>& steps,
                           const std::vector<ledger::StepDefinition>& file) {
  return definition_change(
      steps, file, [](const auto& a, const auto& b) { return a == b; },
      [&](std::size_t place) { return standing_of(steps[place]); });
}

TEST(Standing, IsWhatAStepHasLeftBehind) {
  for (const char* kind : {"sql", "index", "verify", "backfill", "retype"}) {
    EXPECT_EQ(standing_of(known("a", kind, StepState::kDone)), "it is done") << kind;
    for (const auto state :
         {StepState::kWaiting, StepState::kRunning, StepState::kFailed, StepState::kRolledBack})
      EXPECT_EQ(standing_of(known("a", kind, state)), "") << kind << name_of(state);
  }
  auto committed = known("a", "sql", StepState::kRunning);  // its run died before the state was written
  committed.has_range_done = true;
  EXPECT_EQ(standing_of(committed), "it is done");
  auto fill = known("a", "backfill", StepState::kFailed);
  fill.has_range_done = true;  // a stretch where nothing matched
  EXPECT_EQ(standing_of(fill), "");
  fill.rows_changed = 1'200;
  EXPECT_EQ(standing_of(fill), "it has changed 1,200 rows");
  auto retype = known("a", "retype", StepState::kFailed);
  retype.has_act_begun = true;
  EXPECT_EQ(standing_of(retype), "it has begun");
}

TEST(DefinitionChanges, MendWhatHasChangedNothing) {
  const auto change =
      change_of({known("a", "sql", StepState::kDone), known("b", "index", StepState::kFailed)},
                {given("a"), given("b", "2"), given("c")});
  EXPECT_THAT(change.refused, IsEmpty());
  ASSERT_EQ(change.mended.size(), 1U);
  EXPECT_FALSE(change.is_mended(0));
  EXPECT_TRUE(change.is_mended(1));
  EXPECT_THAT(change.mended[0].difference, ElementsAre("step \"b\":", "- text = 1", "+ text = 2"));
}

TEST(DefinitionChanges, RefuseWithTheDifferenceAndWhatStands) {
  auto fill = known("b", "backfill", StepState::kRunning);
  fill.rows_changed = 5;
  const auto change =
      change_of({known("a", "sql", StepState::kDone), fill}, {given("a", "2"), given("b", "2")});
  EXPECT_THAT(change.mended, IsEmpty());
  EXPECT_THAT(change.refused, ElementsAre("step \"a\": (it is done)", "- text = 1", "+ text = 2",
                                          "step \"b\": (it has changed 5 rows)", "- text = 1", "+ text = 2"));
}

TEST(DefinitionChanges, PutAStepBeforeOneThatWaitsButNotBeforeOneThatStands) {
  const std::vector<ledger::KnownStep> steps{known("a", "sql", StepState::kDone),
                                             known("b", "index", StepState::kFailed),
                                             known("c", "verify", StepState::kWaiting)};
  const auto between = change_of(steps, {given("a"), given("new"), given("b"), given("c")});
  EXPECT_THAT(between.refused, IsEmpty());
  EXPECT_EQ(between.mended.size(), 2U);
  const auto first = change_of(steps, {given("new"), given("a"), given("b"), given("c")});
  EXPECT_THAT(first.refused,
              ElementsAre("- step \"a\" at place 1 (it is done)", "+ step \"new\" at place 1"));
}

TEST(DefinitionChanges, LetAStepGoThatWaitsButNotOneThatStands) {
  const auto change =
      change_of({known("a", "sql", StepState::kDone), known("b", "sql", StepState::kWaiting)}, {given("a")});
  EXPECT_THAT(change.refused, IsEmpty());
  EXPECT_EQ(change.mended.size(), 1U);
  EXPECT_THAT(change_of({known("a", "sql", StepState::kDone)}, {}).refused,
              ElementsAre("- step \"a\" is missing (it is done)"));
}

TEST(DefinitionChanges, ShowAllLinesWhereOnlyTheirOrderDiffers) {
  const auto change =
      change_of({known("a", "sql", StepState::kDone)}, {{"a", "sql", {"text = 1", "name = a"}}});
  EXPECT_THAT(change.refused, ElementsAre("step \"a\": (it is done)", "- name = a", "- text = 1",
                                          "+ text = 1", "+ name = a"));
}

}  // namespace
}  // namespace pgsluice::engine
