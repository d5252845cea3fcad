// Goal: only steps that have left nothing behind may change. Method: steps as the ledger knows them, compared
// with a file's.
#include "kinds/definition/definition_change.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgsluice::engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

ledger::KnownStep known(const std::string& name, const std::string& kind, const std::string& state) {
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
    EXPECT_EQ(standing_of(known("a", kind, "done")), "it is done") << kind;
    for (const char* state : {"waiting", "running", "failed", "rolled back"})
      EXPECT_EQ(standing_of(known("a", kind, state)), "") << kind << state;
  }
  auto committed = known("a", "sql", "running");  // its run died before the state was written
  committed.has_range_done = true;
  EXPECT_EQ(standing_of(committed), "it is done");
  auto fill = known("a", "backfill", "failed");
  fill.has_range_done = true;  // a stretch where nothing matched
  EXPECT_EQ(standing_of(fill), "");
  fill.rows_changed = 1'200;
  EXPECT_EQ(standing_of(fill), "it has changed 1,200 rows");
  auto retype = known("a", "retype", "failed");
  retype.has_act_begun = true;
  EXPECT_EQ(standing_of(retype), "it has begun");
}

TEST(DefinitionChanges, MendWhatHasChangedNothing) {
  const auto change = change_of({known("a", "sql", "done"), known("b", "index", "failed")},
                                {given("a"), given("b", "2"), given("c")});
  EXPECT_THAT(change.refused, IsEmpty());
  ASSERT_EQ(change.mended.size(), 1U);
  EXPECT_FALSE(change.is_mended(0));
  EXPECT_TRUE(change.is_mended(1));
  EXPECT_THAT(change.mended[0].difference, ElementsAre("step \"b\":", "- text = 1", "+ text = 2"));
}

TEST(DefinitionChanges, RefuseWithTheDifferenceAndWhatStands) {
  auto fill = known("b", "backfill", "running");
  fill.rows_changed = 5;
  const auto change = change_of({known("a", "sql", "done"), fill}, {given("a", "2"), given("b", "2")});
  EXPECT_THAT(change.mended, IsEmpty());
  EXPECT_THAT(change.refused, ElementsAre("step \"a\": (it is done)", "- text = 1", "+ text = 2",
                                          "step \"b\": (it has changed 5 rows)", "- text = 1", "+ text = 2"));
}

TEST(DefinitionChanges, PutAStepBeforeOneThatWaitsButNotBeforeOneThatStands) {
  const std::vector<ledger::KnownStep> steps{known("a", "sql", "done"), known("b", "index", "failed"),
                                             known("c", "verify", "waiting")};
  const auto between = change_of(steps, {given("a"), given("new"), given("b"), given("c")});
  EXPECT_THAT(between.refused, IsEmpty());
  EXPECT_EQ(between.mended.size(), 2U);
  const auto first = change_of(steps, {given("new"), given("a"), given("b"), given("c")});
  EXPECT_THAT(first.refused,
              ElementsAre("- step \"a\" at place 1 (it is done)", "+ step \"new\" at place 1"));
}

TEST(DefinitionChanges, LetAStepGoThatWaitsButNotOneThatStands) {
  const auto change = change_of({known("a", "sql", "done"), known("b", "sql", "waiting")}, {given("a")});
  EXPECT_THAT(change.refused, IsEmpty());
  EXPECT_EQ(change.mended.size(), 1U);
  EXPECT_THAT(change_of({known("a", "sql", "done")}, {}).refused,
              ElementsAre("- step \"a\" is missing (it is done)"));
}

TEST(DefinitionChanges, ShowAllLinesWhereOnlyTheirOrderDiffers) {
  const auto change = change_of({known("a", "sql", "done")}, {{"a", "sql", {"text = 1", "name = a"}}});
  EXPECT_THAT(change.refused, ElementsAre("step \"a\": (it is done)", "- name = a", "- text = 1",
                                          "+ text = 1", "+ name = a"));
}

}  // namespace
}  // namespace pgsluice::engine
