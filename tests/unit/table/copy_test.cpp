// What a copy decides without a server: which column gets what, how a line is read, and how values stand in
// statements that take no parameters.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pgsluice/error.hpp"
#include "table/copy/conflict_sql.hpp"
#include "table/copy/copy_columns.hpp"
#include "table/copy/copy_line.hpp"
#include "table/copy/copy_sql.hpp"
#include "walk/inlined.hpp"

namespace pgsluice::engine {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

ColumnFacts column(const std::string& name, const std::string& type = "integer") {
  ColumnFacts facts;
  facts.name = name;
  facts.type = type;
  facts.is_builtin = true;
  return facts;
}

std::vector<std::string> sources_of(const MatchedColumns& matched) {
  std::vector<std::string> out;
  for (const auto& c : matched.columns) out.push_back(c.name + " = " + c.expression);
  return out;
}

std::string refusal_of(const CopyStep& step, const std::vector<ColumnFacts>& source,
                       const std::vector<ColumnFacts>& target) {
  try {
    match_columns(step, source, target);
  } catch (const Error& e) {
    return e.what();
  }
  return {};
}

TEST(CopyLine, ReadsKeysWithEscapes) {
  EXPECT_EQ(key_at_start("a\\tb\\\\\\n\t7\trest\t\\N\n", 2), (pg::Key{"a\tb\\\n", "7"}));
  EXPECT_EQ(after_fields("a\\tb\t7\trest\t\\N\n", 2), "rest\t\\N\n");
  EXPECT_EQ(key_at_start("only\n", 1), pg::Key{"only"});
}

TEST(CopyLine, ReadsIntegersAndNothingElse) {
  EXPECT_EQ(integer_in("1\t-9223372036854775808\n", 1), INT64_MIN);
  EXPECT_EQ(integer_in("\\N\t2\n", 0), std::nullopt);
  EXPECT_EQ(integer_in("1.5\n", 0), std::nullopt);
  EXPECT_EQ(integer_in("9223372036854775808\n", 0), std::nullopt);
}

TEST(Inlined, PutsQuotedValuesInPlaceOfParameters) {
  EXPECT_EQ(walk::inlined({R"("a$1" > $1::int AND "q""$2" <= $12)",
                           {"it's", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "\\"}}),
            R"("a$1" > 'it''s'::int AND "q""$2" <= E'\\')");
}

TEST(CopyColumns, MatchesByNameAndTakesWhatIsGiven) {
  CopyStep step;
  step.columns = {{"user_id", "legacy_user_id"}, {"source", "'service'"}};
  const auto matched =
      match_columns(step, {column("id"), column("legacy_user_id"), column("gone")},
                    {column("id", "bigint"), column("user_id"), column("source", "text"), column("extra")});
  EXPECT_THAT(sources_of(matched),
              ElementsAre("id = \"id\"", "user_id = legacy_user_id", "source = 'service'"));
  EXPECT_THAT(matched.left_out, ElementsAre("gone"));
  EXPECT_THAT(matched.to_defaults, ElementsAre("extra"));
  EXPECT_THAT(matched.other_types, ElementsAre("\"id\": integer, at the target bigint"));
  EXPECT_EQ(matched.columns.front().becomes, "bigint");
}

TEST(CopyColumns, RefusesWhatTheTargetNeedsOrLacks) {
  CopyStep step;
  step.from.name = "s";
  step.to.name = "t";
  auto must = column("must");
  must.is_not_null = true;
  EXPECT_THAT(refusal_of(step, {column("id")}, {column("id"), must}),
              HasSubstr("column \"must\" of table t"));
  must.has_default = true;
  EXPECT_THAT(refusal_of(step, {column("id")}, {column("id"), must}), IsEmpty());
  EXPECT_THAT(refusal_of(step, {column("id")}, {column("other")}), HasSubstr("no column in common"));
  step.columns = {{"id", "1"}};
  auto computed = column("id");
  computed.is_generated = true;
  EXPECT_THAT(refusal_of(step, {column("id")}, {computed}), HasSubstr("is generated"));
  EXPECT_THAT(refusal_of(step, {column("id")}, {column("n")}), HasSubstr("has no column \"id\""));
}

TEST(CopySql, OrdersByTheTablesColumnsAndNotByTheSelectedOnes) {
  Copying copying;
  copying.from.schema = "s";
  copying.from.name = "t";
  copying.key = {{"id", "", "", true, false}};
  copying.columns = {{"id", "id::text -- shuffled", false}};
  copying.where = "n > 0 -- some";
  EXPECT_EQ(
      copy_out_sql(copying, "true"),
      "COPY (SELECT \"id\"::text, (id::text -- shuffled\n)\nFROM \"s\".\"t\"\nWHERE true\n  AND CASE WHEN (n "
      "> 0 -- "
      "some\n) THEN true END\nORDER BY \"s\".\"t\".\"id\") TO STDOUT");
}

TEST(ConflictSql, ReplacesOnlyRowsThatDiffer) {
  Copying copying;
  copying.to.schema = "s";
  copying.to.name = "t";
  copying.columns = {{"id", "\"id\"", true}, {"n", "\"n\"", true}};
  copying.conflict_key = {"id"};
  copying.on_conflict = OnConflict::kUpdate;
  EXPECT_THAT(insert_staged_sql(copying),
              HasSubstr("ON CONFLICT (\"id\") DO UPDATE SET \"n\" = excluded.\"n\"\nWHERE "
                        "ROW(present.\"n\")::record OPERATOR(pg_catalog.*<>) ROW(excluded.\"n\")::record"));
  copying.on_conflict = OnConflict::kSkip;
  EXPECT_THAT(insert_staged_sql(copying), HasSubstr("ON CONFLICT DO NOTHING"));
}

}  // namespace
}  // namespace pgsluice::engine
