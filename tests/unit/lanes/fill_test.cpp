// Goal: tables filled side by side are told as what they are together. Method: no server; a prepared table
// made by hand.
#include "lanes/fill/fill.hpp"

#include <gtest/gtest.h>

namespace pgsluice::engine {
namespace {

std::unique_ptr<Fill> fill_of(const std::string& table, std::int64_t rows, const Tunables& tunables = {}) {
  StepInWork step;
  step.record.name = "ids: fill " + table;
  pg::Table facts;
  facts.schema = "public";
  facts.name = table;
  facts.rows_estimate = rows;
  PreparedBackfill prepared;
  prepared.step_id = 1;
  prepared.table = std::move(facts);
  return std::make_unique<Fill>(step, prepared, tunables);
}

TEST(Fill, EndsWithWhatTheLedgerSays) {
  const auto fill = fill_of("users", 1'000);
  fill->add({100, 30, 0});
  fill->settle({250, 20, 0});
  EXPECT_EQ(fill->step().rows.visited(), 270) << "other runs' work counts too";
  EXPECT_EQ(fill->step().rows.already_right, 20);
}

TEST(Fill, SizesItsBatchesByTheTunablesOfNowAndSaysOfWhichTable) {
  Tunables tunables;
  tunables.batch.rows = 500;
  const auto fill = fill_of("users", 1'000, tunables);
  EXPECT_FALSE(fill->match(tunables, false)) << "nothing changed";
  tunables.batch.rows = 800;
  const auto tune = fill->match(tunables, false);
  ASSERT_TRUE(tune);
  EXPECT_EQ(fill->sizer().rows(), 800);
  EXPECT_NE(fill->event_of(*tune).cause.find("public.users"), std::string::npos);
}

TEST(Fill, AimsAtShortBatchesBesideOthersAndSaysSo) {
  Tunables tunables;
  tunables.batch.rows = 1'000;
  tunables.batch.target = Milliseconds(100);
  const auto fill = fill_of("users", 1'000, tunables);
  const auto tune = fill->match(tunables, true);
  ASSERT_TRUE(tune);
  EXPECT_EQ(fill->sizer().rows(), 120);
  EXPECT_NE(tune->cause.find("slow others down"), std::string::npos);
  EXPECT_FALSE(fill->match(tunables, true));
  EXPECT_FALSE(fill->match(tunables, false)) << "the size grows by itself when there is room again";
}

TEST(Fill, KnowsWhenItsEstimateWasWrong) {
  const auto fill = fill_of("users", 1'000);
  fill->add({1'050, 0, 0});
  EXPECT_EQ(fill->rows_expected(), 1'000) << "a sample misses by as much";
  fill->add({100, 0, 0});
  EXPECT_EQ(fill->rows_expected(), 0) << "it is not known how many";
  fill->expect(9'000);
  EXPECT_EQ(fill->rows_expected(), 9'000);
}

TEST(Fills, DoNotKnowTheirSumWhileOneOfThemDoesNotKnowItsRows) {
  Fills fills;
  for (const char* table : {"users", "journals"}) fills.push_back(fill_of(table, 1'000));
  fills[0]->add({1'200, 0, 0});
  EXPECT_EQ(sums_of(fills).rows_expected, 0);
  fills[0]->is_ended = true;
  EXPECT_EQ(sums_of(fills).rows_expected, 2'200);
}

TEST(Fills, AreTheSumOfAllOfThemUntilTheLastHasEnded) {
  Fills fills;
  for (const char* table : {"users", "journals", "tags"}) fills.push_back(fill_of(table, 1'000));
  fills[0]->add({700, 200, 1});
  fills[0]->is_ended = true;
  fills[1]->add({99, 0, 0});
  const auto sums = sums_of(fills);
  EXPECT_EQ(sums.rows.visited(), 1'000);
  EXPECT_EQ(sums.rows.quarantined, 1);
  EXPECT_EQ(sums.rows_expected, 901 + 2'000) << "of one that has ended its rows are known";
  EXPECT_EQ(sums.batch_rows, fills[1]->sizer().rows());
  EXPECT_EQ(name_of(fills), "ids: fill users and 2 more");
}

TEST(Fills, OfOneTableHaveItsName) {
  Fills fills;
  fills.push_back(fill_of("users", 1'000));
  EXPECT_EQ(name_of(fills), "ids: fill users");
}

}  // namespace
}  // namespace pgsluice::engine
