// Goal: deleting rows never searches a large table for each of them, never takes rows away that no archive
// gets, and deletes referring rows before what they refer to. Method: foreign keys made up.
#include "table/referrers.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgsluice::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

Referrer referrer(const std::string& table, const std::string& to, OnDelete on_delete = OnDelete::kNoAction) {
  Referrer one;
  one.constraint = table + "_fkey";
  one.table = {"public", table};
  one.table_sql = "\"public\".\"" + table + "\"";
  one.columns = {to + "_id"};
  one.referenced_sql = "\"public\".\"" + to + "\"";
  one.referenced_columns = {"id"};
  one.on_delete = on_delete;
  one.has_index = true;
  return one;
}

std::vector<std::string> messages(const PurgeStep& step, const std::vector<Referrer>& referrers) {
  std::vector<std::string> out;
  for (const auto& problem : referrer_problems(step, referrers)) out.push_back(problem.message);
  return out;
}

TEST(Referrers, NeedAnIndexUnlessTheyAreEmptyOrAllowed) {
  PurgeStep step;
  auto line = referrer("line", "audit");
  EXPECT_THAT(messages(step, {line}), IsEmpty());
  line.has_index = false;
  EXPECT_THAT(messages(step, {line}), ElementsAre(HasSubstr("read all of table \"public\".\"line\"")));
  line.is_empty = true;
  EXPECT_THAT(messages(step, {line}), IsEmpty());
  line.is_empty = false;
  step.allowed_effects = {{"", "line"}};
  EXPECT_THAT(messages(step, {line}), IsEmpty());
  step.allowed_effects = {{"other", "line"}};
  EXPECT_EQ(messages(step, {line}).size(), 1U);
}

TEST(Referrers, OfTheTableItselfGetAdviceThatHelps) {
  PurgeStep step;
  const auto itself = referrer("audit", "audit", OnDelete::kCascade);
  step.archive_to = TableName{"", "kept"};
  const auto problems = referrer_problems(step, {itself});
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_THAT(problems[0].message, HasSubstr("do not go to the archive"));
  EXPECT_THAT(problems[0].hint, testing::AllOf(HasSubstr("set \"audit_id\" to NULL"),
                                               testing::Not(HasSubstr("purge that table"))));
  step.archive_to.reset();
  step.with = {{"", "audit"}};
  EXPECT_THAT(messages(step, {itself}), ElementsAre(HasSubstr("the purged table itself")));
}

TEST(Referrers, DoNotLoseRowsThatNoArchiveGets) {
  PurgeStep step;
  const auto cascade = referrer("line", "audit", OnDelete::kCascade);
  EXPECT_THAT(messages(step, {cascade}), IsEmpty());
  step.archive_to = TableName{"", "kept"};
  EXPECT_THAT(messages(step, {cascade}), ElementsAre(HasSubstr("do not go to the archive")));
  EXPECT_THAT(messages(step, {referrer("line", "audit", OnDelete::kSetNull)}),
              ElementsAre(HasSubstr("sets NULL")));
  EXPECT_THAT(messages(step, {referrer("line", "audit")}), IsEmpty());
  step.with = {{"", "line"}};
  EXPECT_THAT(messages(step, {referrer("line", "audit")}),
              ElementsAre(HasSubstr("do not go to the archive")));
}

TEST(Referrers, ThatAreNamedMustRefer) {
  PurgeStep step;
  step.with = {{"", "elsewhere"}};
  EXPECT_THAT(messages(step, {referrer("line", "audit")}), ElementsAre(HasSubstr("does not refer")));
}

TEST(Referrers, AreDeletedBeforeWhatTheyReferTo) {
  const std::vector<Referrer> all{referrer("line", "audit"), referrer("note", "line"),
                                  referrer("other", "audit")};
  const auto deletes = referrer_deletes(all, {{"", "line"}, {"public", "note"}}, "\"public\".\"audit\"",
                                        "FROM \"public\".\"audit\" WHERE id < 5");
  ASSERT_EQ(deletes.size(), 2U);
  const std::string going =
      "WITH \"pgsluice going\" AS MATERIALIZED (SELECT \"id\" FROM \"public\".\"audit\" WHERE id < 5\nFOR "
      "UPDATE)\n";
  EXPECT_EQ(
      deletes[0],
      going +
          "DELETE FROM \"public\".\"note\"\nWHERE (\"line_id\") IN (SELECT \"id\" FROM \"public\".\"line\"\n"
          "WHERE (\"audit_id\") IN (SELECT \"id\" FROM \"pgsluice going\"))");
  EXPECT_EQ(deletes[1], going +
                            "DELETE FROM \"public\".\"line\"\nWHERE (\"audit_id\") IN (SELECT \"id\" FROM "
                            "\"pgsluice going\")");
}

TEST(Referrers, OfTwoKeysAreDeletedByEach) {
  auto second = referrer("line", "audit");
  second.constraint = "line_fkey2";
  second.columns = {"previous_id"};
  const std::vector<Referrer> all{referrer("line", "audit"), second, referrer("note", "line")};
  EXPECT_EQ(referrer_deletes(all, {{"", "line"}, {"", "note"}}, "\"public\".\"audit\"", "FROM x").size(), 4U);
}

}  // namespace
}  // namespace pgsluice::engine
