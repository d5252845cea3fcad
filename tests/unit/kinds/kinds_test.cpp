// Goal: each kind answers for itself what can be told from the job alone.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kinds/steps_of_job.hpp"
#include "kinds/table_of_kinds.hpp"

namespace pgsluice::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Step sql_step() {
  SqlStep step;
  step.name = "add";
  step.up = {"CREATE TABLE orders (id int)"};
  step.down = {"DROP TABLE orders"};
  return step;
}

Step retype_step() {
  RetypeStep step;
  step.name = "keys";
  step.tables = {{"", "users"}};
  step.to = "uuid";
  return step;
}

TEST(Kinds, OnlyVerifyWritesNothing) {
  for (const Step& step : {sql_step(), Step(IndexStep{}), Step(BackfillStep{}), retype_step()})
    EXPECT_TRUE(kind_of(step)->writes()) << step_kind(step);
  EXPECT_FALSE(kind_of(Step(VerifyStep{}))->writes());
}

TEST(Kinds, OnlyARetypeIsRehearsed) {
  const auto retype = retype_step();
  EXPECT_TRUE(kind_of(retype)->to_rehearse());
  for (const Step& step : {sql_step(), Step(IndexStep{}), Step(BackfillStep{}), Step(VerifyStep{})})
    EXPECT_FALSE(kind_of(step)->to_rehearse()) << step_kind(step);
}

TEST(Kinds, SqlForeseesWhatItMakes) {
  Outlook outlook;
  const auto step = sql_step();
  kind_of(step)->foresee(outlook);
  EXPECT_EQ(outlook.maker_of({"", "orders"}), "add");
}

TEST(Kinds, SqlIsUndoneByItsDown) {
  const auto step = sql_step();
  EXPECT_THAT(kind_of(step)->down(), ElementsAre("DROP TABLE orders"));
  EXPECT_THAT(kind_of(Step(BackfillStep{}))->down(), IsEmpty());
}

TEST(Kinds, SayWhatUndoingThemDoes) {
  RollbackAct act;
  act.down = {"DROP TABLE orders"};
  act.index_sql = "\"orders_at\"";
  const auto sql = sql_step();
  EXPECT_THAT(kind_of(sql)->undoing_in_words(act, ""), ElementsAre("DROP TABLE orders"));
  EXPECT_THAT(kind_of(Step(IndexStep{}))->undoing_in_words(act, "created"),
              ElementsAre("index \"orders_at\" is dropped"));
  EXPECT_THAT(kind_of(Step(BackfillStep{}))->undoing_in_words(act, ""), IsEmpty());
  const auto retype = retype_step();
  EXPECT_THAT(kind_of(retype)->undoing_in_words(act, "ready"), ElementsAre(HasSubstr("the new columns")));
  EXPECT_THAT(kind_of(retype)->undoing_in_words(act, "cut over"),
              ElementsAre(HasSubstr("get their names back")));
}

TEST(Traces, TakeAStepForAppliedByItsRangeWhateverItsStateSays) {
  ledger::StepTrace died_after_commit;
  died_after_commit.state = "running";
  died_after_commit.has_range_done = true;
  ledger::StepTrace undone = died_after_commit;
  undone.state = "rolled back";
  ledger::StepTrace waiting;
  waiting.state = "waiting";
  const Traces traces({died_after_commit, undone, waiting});
  EXPECT_TRUE(traces.is_applied(0));
  EXPECT_FALSE(traces.is_applied(1));
  EXPECT_FALSE(traces.is_applied(2));
  EXPECT_TRUE(traces.is_begun(0));
  EXPECT_FALSE(traces.is_begun(1));
  EXPECT_FALSE(traces.is_begun(2));
}

}  // namespace
}  // namespace pgsluice::engine
