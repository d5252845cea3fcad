// Goal: each kind answers for itself what can be told from the job alone.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kinds/steps_of_job.hpp"
#include "kinds/table_of_kinds.hpp"
#include "pgsluice/error.hpp"

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
    EXPECT_TRUE(kind_of(step)->writes()) << step.kind();
  EXPECT_FALSE(kind_of(Step(VerifyStep{}))->writes());
}

TEST(Kinds, EachIsInTheTableUnderTheNameThatAJobFileWrites) {
  std::vector<std::string> names;
  for (const auto& kind : table_of_kinds()) names.push_back(kind.name);
  EXPECT_THAT(names,
              ElementsAre("sql", "index", "constraint", "backfill", "purge", "copy", "verify", "retype"));
  for (const auto& name : names) EXPECT_EQ(find_kind(name)->name, name);
  EXPECT_EQ(find_kind("copying"), nullptr);
}

struct UnknownStep {
  static constexpr const char* kKind = "unknown";
  std::string name = "odd";
};

TEST(Kinds, AStepOfNoKnownKindIsRefusedByName) {
  const Step step = UnknownStep{};
  try {
    kind_of(step);
    FAIL() << "it has a kind";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kJobFile);
    EXPECT_THAT(error.what(), HasSubstr("\"odd\""));
  }
}

TEST(Kinds, AddingOneUnderATakenNameIsRefused) {
  EXPECT_THROW(add_kind(*find_kind("sql")), Error);
}

TEST(Kinds, SayWhatTheyHaveLeftBehind) {
  ledger::KnownStep known;
  known.has_range_done = true;
  known.rows_changed = 1'200;
  known.has_act_begun = true;
  EXPECT_EQ(find_kind("sql")->left_behind(known), "it is done");
  EXPECT_EQ(find_kind("index")->left_behind(known), "it is done");
  EXPECT_EQ(find_kind("backfill")->left_behind(known), "it has changed 1,200 rows");
  EXPECT_EQ(find_kind("verify")->left_behind(known), "");
  EXPECT_EQ(find_kind("retype")->left_behind(known), "it has begun");
}

TEST(Kinds, SqlForeseesWhatItMakes) {
  Outlook outlook;
  const auto step = sql_step();
  kind_of(step)->foresee(outlook);
  EXPECT_EQ(outlook.maker_of({"", "orders"}), "add");
}

TEST(Kinds, SqlIsUndoneByItsDown) {
  const auto step = sql_step();
  EXPECT_THAT(kind_of(step)->down(""), ElementsAre("DROP TABLE orders"));
  EXPECT_THAT(kind_of(Step(BackfillStep{}))->down(""), IsEmpty());
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
  died_after_commit.state = StepState::kRunning;
  died_after_commit.has_range_done = true;
  ledger::StepTrace undone = died_after_commit;
  undone.state = StepState::kRolledBack;
  ledger::StepTrace waiting;
  waiting.state = StepState::kWaiting;
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
