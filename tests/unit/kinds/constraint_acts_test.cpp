// Goal: what is left to do follows from the catalog alone, and blocks nobody for long. Method: facts made by
// hand.
#include "kinds/constraint/constraint_acts.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgsluice::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> sql_of(const ConstraintStep& step, const ConstraintFacts& facts) {
  std::vector<std::string> all;
  for (const auto& act : constraint_acts(step, facts)) all.push_back(act.sql.front());
  return all;
}

ConstraintSide side(const std::string& table, const std::string& name) {
  return {1, table, name, std::nullopt, {false}, false};
}

ConstraintFacts facts_of(int version, bool is_partitioned, const std::string& name) {
  ConstraintFacts facts;
  facts.server_version = version;
  facts.table.kind = is_partitioned ? "p" : "r";
  facts.whole = side("t", name);
  facts.references_sql = "u";
  facts.referenced_columns = {"id"};
  if (is_partitioned) facts.leaves = {side("t1", name), side("t2", name)};
  return facts;
}

ConstraintStep step_of(Constraint constraint) {
  ConstraintStep step;
  step.constraint = constraint;
  step.columns = {"a"};
  step.constraint_name = "n";
  if (constraint == Constraint::kCheck) step.check = "a > 0";
  return step;
}

TEST(ConstraintActs, ProveNotNullByACheckThatGoesAgain) {
  const auto step = step_of(Constraint::kNotNull);
  auto facts = facts_of(150'000, false, "n");
  EXPECT_THAT(
      sql_of(step, facts),
      ElementsAre("ALTER TABLE t ADD CONSTRAINT \"n\" CHECK (\"a\" IS NOT NULL) NOT VALID",
                  "ALTER TABLE t VALIDATE CONSTRAINT \"n\"", "ALTER TABLE t ALTER COLUMN \"a\" SET NOT NULL",
                  "ALTER TABLE t DROP CONSTRAINT \"n\""));
  facts.whole.constraint = FoundConstraint{"c", true};
  EXPECT_THAT(sql_of(step, facts), ElementsAre("ALTER TABLE t ALTER COLUMN \"a\" SET NOT NULL",
                                               "ALTER TABLE t DROP CONSTRAINT \"n\""))
      << "killed behind the proof";
  facts.whole.is_not_null = {true};
  EXPECT_THAT(sql_of(step, facts), ElementsAre("ALTER TABLE t DROP CONSTRAINT \"n\""))
      << "killed before the last";
  facts.whole.constraint.reset();
  EXPECT_THAT(sql_of(step, facts), IsEmpty());
}

TEST(ConstraintActs, AddNotNullAsAConstraintWhereTheServerKnowsIt) {
  EXPECT_THAT(sql_of(step_of(Constraint::kNotNull), facts_of(180'000, false, "n")),
              ElementsAre("ALTER TABLE t ADD CONSTRAINT \"n\" NOT NULL \"a\" NOT VALID",
                          "ALTER TABLE t VALIDATE CONSTRAINT \"n\""));
}

TEST(ConstraintActs, ProveEachPartitionBeforeTheWhole) {
  EXPECT_THAT(
      sql_of(step_of(Constraint::kCheck), facts_of(150'000, true, "n")),
      ElementsAre("ALTER TABLE t ADD CONSTRAINT \"n\" CHECK (a > 0\n) NOT VALID",
                  "ALTER TABLE t1 VALIDATE CONSTRAINT \"n\"", "ALTER TABLE t2 VALIDATE CONSTRAINT \"n\"",
                  "ALTER TABLE t VALIDATE CONSTRAINT \"n\""));
}

TEST(ConstraintActs, AttachAForeignKeyOfAPartitionedTableToThatOfItsPartitions) {
  const auto step = step_of(Constraint::kForeignKey);
  const std::string key = "CONSTRAINT \"n\" FOREIGN KEY (\"a\") REFERENCES u (\"id\")";
  EXPECT_THAT(
      sql_of(step, facts_of(150'000, true, "n")),
      ElementsAre("ALTER TABLE t1 ADD " + key + " NOT VALID", "ALTER TABLE t1 VALIDATE CONSTRAINT \"n\"",
                  "ALTER TABLE t2 ADD " + key + " NOT VALID", "ALTER TABLE t2 VALIDATE CONSTRAINT \"n\"",
                  "ALTER TABLE t ADD " + key));
  EXPECT_EQ(sql_of(step, facts_of(180'000, true, "n")).front(), "ALTER TABLE t ADD " + key + " NOT VALID");
}

TEST(ConstraintActs, BuildAKeysIndexBesideTheApplication) {
  EXPECT_THAT(sql_of(step_of(Constraint::kUnique), facts_of(150'000, false, "n")),
              ElementsAre("CREATE UNIQUE INDEX CONCURRENTLY \"n\" ON t (\"a\")",
                          "ALTER TABLE t ADD CONSTRAINT \"n\" UNIQUE USING INDEX \"n\""));
  auto facts = facts_of(150'000, false, "n");
  facts.whole.has_index = true;
  EXPECT_THAT(sql_of(step_of(Constraint::kUnique), facts),
              ElementsAre("ALTER TABLE t ADD CONSTRAINT \"n\" UNIQUE USING INDEX \"n\""))
      << "killed behind the build";
}

TEST(ConstraintActs, MakeThePrimaryKeysColumnsNotNullFirst) {
  auto facts = facts_of(150'000, false, "n");
  EXPECT_EQ(sql_of(step_of(Constraint::kPrimaryKey), facts).size(), 6U);
  facts.whole.is_not_null = {true};
  EXPECT_THAT(sql_of(step_of(Constraint::kPrimaryKey), facts),
              ElementsAre("CREATE UNIQUE INDEX CONCURRENTLY \"n\" ON t (\"a\")",
                          "ALTER TABLE t ADD CONSTRAINT \"n\" PRIMARY KEY USING INDEX \"n\""));
}

TEST(ConstraintActs, AreNoneOnceItIsProved) {
  for (const auto constraint :
       {Constraint::kCheck, Constraint::kForeignKey, Constraint::kUnique, Constraint::kPrimaryKey}) {
    auto facts = facts_of(150'000, false, "n");
    facts.whole.constraint = FoundConstraint{"", true};
    facts.whole.is_not_null = {true};
    EXPECT_THAT(sql_of(step_of(constraint), facts), IsEmpty());
    EXPECT_TRUE(is_proved(step_of(constraint), facts));
  }
}

}  // namespace
}  // namespace pgsluice::engine
