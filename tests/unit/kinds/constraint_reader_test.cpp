// Goal: a constraint step says one thing, and every mistake is told with its place. Method: tables of texts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/job/parsing.hpp"

namespace pgsluice::job {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

JobFile file_of(const std::string& keys) {
  return parse(
      "name = \"j\"\n[[step]]\nkind = \"constraint\"\nname = \"a-step\"\ntable = \"sales.orders\"\n" + keys);
}

ConstraintStep step_of(const std::string& keys) {
  const auto file = file_of(keys);
  EXPECT_EQ(mistakes(file), "");
  return file.ok() ? *file.job.steps.front().as<ConstraintStep>() : ConstraintStep{};
}

TEST(ConstraintSteps, AreNamedAsPostgreSqlWould) {
  EXPECT_EQ(step_of("not_null = \"Email\"").constraint_name, "orders_email_not_null");
  EXPECT_EQ(step_of("check = \"plan > 0\"").constraint_name, "orders_a_step_check");
  EXPECT_EQ(step_of("unique = [\"a\", \"b\"]").constraint_name, "orders_a_b_key");
  EXPECT_EQ(step_of("primary_key = \"id\"").constraint_name, "orders_pkey");
  EXPECT_EQ(step_of("primary_key = \"id\"\nconstraint_name = \"\\\"PK\\\"\"").constraint_name, "PK");
}

TEST(ConstraintSteps, HoldAForeignKey) {
  const auto step = step_of(
      "foreign_key = { columns = [\"a\", \"b\"], references = \"public.users (x, \\\"Y\\\")\", on_delete = "
      "\"set null\" }");
  EXPECT_EQ(step.constraint, Constraint::kForeignKey);
  EXPECT_THAT(step.columns, ElementsAre("a", "b"));
  EXPECT_EQ(step.references, (TableName{"public", "users"}));
  EXPECT_THAT(step.referenced_columns, ElementsAre("x", "Y"));
  EXPECT_EQ(step.on_delete, "set null");
  EXPECT_EQ(step.on_update, "");
  EXPECT_EQ(step.constraint_name, "orders_a_b_fkey");
}

TEST(ConstraintSteps, TellTheirMistakes) {
  const struct {
    const char* keys;
    const char* mistake;
  } cases[] = {
      {"", "constraint says nothing"},
      {"not_null = \"a\"\nunique = \"b\"", "unique stands beside not_null"},
      {"not_null = [\"a\", \"b\"]", "not_null names several columns"},
      {"unique = []", "unique names no column"},
      {"unique = [\"a\", \"A\"]", "unique names column a twice"},
      {"check = \"(SELECT true)\"", "check contains a subquery"},
      {"foreign_key = { columns = [\"a\"], references = \"users\" }",
       "references names no column in parentheses"},
      {"foreign_key = { columns = [\"a\"], references = \"users (x, y)\" }",
       "references names 2 columns for 1"},
      {"foreign_key = { columns = [\"a\"], references = \"users (x)\", on_delete = \"drop\" }",
       "\"drop\" is not known"},
      {"foreign_key = { columns = [\"a\"], references = \"users (x)\", on_dlete = \"cascade\" }",
       "unknown key \"on_dlete\""},
      {"check = \"a > 0\"\nconstraint_name = "
       "\"a_name_that_is_much_too_long_for_postgresql_and_would_be_cut_off_by_it\"",
       "longer than 63 bytes"},
  };
  for (const auto& each : cases)
    EXPECT_THAT(mistakes(file_of(each.keys)), HasSubstr(each.mistake)) << each.keys;
}

}  // namespace
}  // namespace pgsluice::job
