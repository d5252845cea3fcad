// Goal: a backfill from flags is the same job, with the same checks, as one from a file.
// Method: flags in, job or diagnostics out.
#include <gtest/gtest.h>

#include <regex>

#include "unit/job/parsing.hpp"

namespace pgsluice::job {
namespace {

BackfillStep step_of(const JobFile& file) {
  return *file.job.steps.at(0).as<BackfillStep>();
}

TEST(BackfillFlags, MakeAJobOfOneStep) {
  const JobFile file = job_from_flags({"public.Users",
                                       {"email = lower(email)", "\"Odd = Col\"=a = b"},
                                       "email <> lower(email)",
                                       {"Tenant", "id"},
                                       ""});
  ASSERT_EQ(mistakes(file), "");
  const BackfillStep step = step_of(file);
  EXPECT_EQ(step.table, (TableName{"public", "users"}));
  ASSERT_EQ(step.set.size(), 2U);
  EXPECT_EQ(step.set[0].column, "email");
  EXPECT_EQ(step.set[0].expression, "lower(email)");
  EXPECT_EQ(step.set[1].column, "Odd = Col");
  EXPECT_EQ(step.set[1].expression, "a = b");
  EXPECT_EQ(step.where, "email <> lower(email)");
  EXPECT_EQ(step.key, (std::vector<std::string>{"tenant", "id"}));
}

TEST(BackfillFlags, NameTheJobAfterTableAndDefinition) {
  const auto name = [](const char* table, const char* set) {
    return job_from_flags({table, {set}, "", {}, ""}).job.name;
  };
  EXPECT_TRUE(
      std::regex_match(name("\"Odd S\".Users", "a=1"), std::regex("backfill-odd-s-users-[0-9a-f]{8}")));
  EXPECT_EQ(name("users", "a=1"), name("users", " a = 1 "));
  EXPECT_NE(name("users", "a=1"), name("users", "a=2"));
  EXPECT_LE(name(std::string(63, 'x').c_str(), "a=1").size(), 63U);
  EXPECT_EQ(job_from_flags({"users", {"a=1"}, "", {}, "mine"}).job.name, "mine");
}

TEST(BackfillFlags, ReportEveryMistakeAtOnce) {
  const JobFile file =
      job_from_flags({"a.b.c", {"x", "y = count(*)", "z = 1", "Z = 2", "id = 1"}, "1;", {"id", "k k"}, "No"});
  std::string all;
  for (const Diagnostic& found : file.diagnostics) all += to_string(found) + "\n";
  EXPECT_EQ(all,
            "--table: error: --table has more than two parts\n"
            "  hint: write schema.table; the connection determines the database\n"
            "--key: error: --key is not one column name (\"k\" is left over)\n"
            "  hint: write it as in SQL, in double quotes if it contains spaces or other special characters: "
            "'\"Order No\"'\n"
            "--set: error: --set lacks the equals sign after the column\n"
            "  hint: write --set \"column = expression\"\n"
            "--set: error: --set contains the aggregate count\n"
            "  hint: a value is computed row by row; an aggregate is allowed in a subquery: (SELECT sum(x) "
            "FROM …)\n"
            "--set: error: --set sets column z twice\n"
            "  hint: set each column once\n"
            "--where: error: --where must be exactly one expression\n"
            "  hint: leave out the semicolon: an expression is not a statement\n"
            "--set: error: --set changes the key column id\n"
            "  hint: walk along another unique key: --key\n"
            "--name: error: --name is not a name\n"
            "  hint: up to 63 lower-case letters, digits, - and _, beginning with a letter or a digit\n");
}

TEST(BackfillFlags, NeedATableAndSomethingToSet) {
  const JobFile file = job_from_flags({});
  EXPECT_EQ(mistakes(file),
            "0:0 --table ends where a name is expected | write names as in SQL, with double quotes around "
            "one with spaces, dots or other special characters: '\"Odd Schema\".\"Order Lines\"'\n"
            "0:0 --set is missing | write --set \"column = expression\"\n");
}

}  // namespace
}  // namespace pgsluice::job
