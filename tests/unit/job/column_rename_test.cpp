// Goal: an expression follows its columns to their new names, and nothing else in it changes.
// Method: tables of texts, most of them as PostgreSQL's own deparser prints them, before and after.
#include "job/sql/column_rename.hpp"

#include <gtest/gtest.h>

#include "job/sql/expression.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::job {
namespace {

using Names = std::map<std::string, std::string>;

struct Case {
  const char* sql;
  const char* expected;
};

void expect_all(const Names& names, const std::vector<Case>& cases) {
  for (const Case& each : cases) EXPECT_EQ(rename_columns(each.sql, names), each.expected) << each.sql;
}

TEST(ColumnRename, FollowsColumnsWhereverTheyStand) {
  expect_all(
      {{"id", "x"}},
      {
          {"id", "\"x\""},
          {"(id > 0)", "(\"x\" > 0)"},
          {"((id > 0) AND (id < other_id) AND (NOT (id = ANY (ARRAY[1, id]))))",
           "((\"x\" > 0) AND (\"x\" < other_id) AND (NOT (\"x\" = ANY (ARRAY[1, \"x\"]))))"},
          {"lower((id)::text)", "lower((\"x\")::text)"},
          {"id::bigint::text", "\"x\"::bigint::text"},
          {"CAST(id AS text)", "CAST(\"x\" AS text)"},
          {"CASE id WHEN 1 THEN id ELSE id + 1 END", "CASE \"x\" WHEN 1 THEN \"x\" ELSE \"x\" + 1 END"},
          {"id IN (1, 2, id)", "\"x\" IN (1, 2, \"x\")"},
          {"(id IS NOT NULL)", "(\"x\" IS NOT NULL)"},
          {"id BETWEEN SYMMETRIC 1 AND id", "\"x\" BETWEEN SYMMETRIC 1 AND \"x\""},
          {"COALESCE(id, NULLIF(id, 0))", "COALESCE(\"x\", NULLIF(\"x\", 0))"},
          {"(id COLLATE \"C\")", "(\"x\" COLLATE \"C\")"},
          {"EXTRACT(epoch FROM id)", "EXTRACT(epoch FROM \"x\")"},
          {"(ROW(id, a) <> ROW(1, 2))", "(ROW(\"x\", a) <> ROW(1, 2))"},
          {"('a'::text || id)", "('a'::text || \"x\")"},
          {"-id", "-\"x\""},
          {"id -- why id\n", "\"x\" -- why id\n"},
          {"id -- why id", "\"x\" -- why id"},
          {"/* id */ id /* id */", "/* id */ \"x\" /* id */"},
          {"  id\n\t+ id  ", "  \"x\"\n\t+ \"x\"  "},
          {"'ärger'::text <> 'ö' AND id > 0", "'ärger'::text <> 'ö' AND \"x\" > 0"},
          {"a > 0", "a > 0"},
      });
}

TEST(ColumnRename, LeavesAloneWhatOnlyBearsTheName) {
  expect_all({{"id", "x"}, {"lower", "y"}, {"text", "z"}, {"C", "w"}},
             {
                 {"'id'", "'id'"},
                 {"'it''s id' || $$id$$ || E'\\'id'", "'it''s id' || $$id$$ || E'\\'id'"},
                 {"lower(lower)", "lower(\"y\")"},
                 {"text::text", "\"z\"::text"},
                 {"(text)::app.id", "(\"z\")::app.id"},
                 {"id(a)", "id(a)"},
                 {"id.f(id)", "id.f(\"x\")"},
                 {"f(id => 1, a => id)", "f(id => 1, a => \"x\")"},
                 {"a COLLATE \"C\"", "a COLLATE \"C\""},
                 {"\"C\" COLLATE id", "\"w\" COLLATE id"},
                 {"(a).id", "(a).id"},
                 {"(id).id", "(\"x\").id"},
                 {"(f(id)).id", "(f(\"x\")).id"},
                 {"ROW(id.*)", "ROW(id.*)"},
                 {"id.a", "id.a"},
                 {"a OPERATOR(id.=) id", "a OPERATOR(id.=) \"x\""},
                 {"a AT TIME ZONE 'id'", "a AT TIME ZONE 'id'"},
                 {"(data ->> 'id'::text)", "(data ->> 'id'::text)"},
                 {"_id + id_ + id2", "_id + id_ + id2"},
             });
}

TEST(ColumnRename, ComparesNamesFoldedAndUnquoted) {
  expect_all({{"id", "x"}, {"Order No", "order_no"}, {"a\"b", "c\"d"}, {"größe", "Maß"}},
             {
                 {"ID + Id + \"id\" + \"ID\"", "\"x\" + \"x\" + \"x\" + \"ID\""},
                 {"(\"Order No\" > 0)", "(\"order_no\" > 0)"},
                 {"\"a\"\"b\" = 1", "\"c\"\"d\" = 1"},
                 {"größe + \"größe\"", "\"Maß\" + \"Maß\""},
             });
}

TEST(ColumnRename, ChangesTheLastPartOfAQualifiedName) {
  expect_all({{"id", "x"}, {"users", "y"}},
             {
                 {"users.id", "users.\"x\""},
                 {"app.users.id > 0", "app.users.\"x\" > 0"},
                 {"\"Us\"\"ers\" . \"id\" IS NULL", "\"Us\"\"ers\" . \"x\" IS NULL"},
                 {"users.users", "users.\"y\""},
                 {"id.id", "id.\"x\""},
             });
}

TEST(ColumnRename, KnowsSubscriptsFromFields) {
  expect_all({{"tags", "t"}, {"id", "x"}}, {{"tags[1]", "\"t\"[1]"},
                                            {"tags[id]", "\"t\"[\"x\"]"},
                                            {"users.tags[1:id]", "users.\"t\"[1:\"x\"]"},
                                            {"(tags[1]).id", "(\"t\"[1]).id"}});
}

TEST(ColumnRename, SwapsNames) {
  EXPECT_EQ(rename_columns("(id < id_new)", {{"id", "id_new"}, {"id_new", "id"}}), "(\"id_new\" < \"id\")");
}

TEST(ColumnRename, KeepsANewNameFromBecomingAnotherToken) {
  EXPECT_EQ(rename_columns("u&id", {{"id", "x"}}), "u& \"x\"");
}

TEST(ColumnRename, GivesAnExpressionThatReadsBack) {
  const Names names = {{"id", "Key\"1"}, {"parent_id", "select"}};
  const auto renamed = check_expression(rename_columns("f(id, parent_id) > 0 -- id", names));
  ASSERT_TRUE(std::holds_alternative<Expression>(renamed));
  EXPECT_EQ(std::get<Expression>(renamed).columns,
            (std::vector<std::vector<std::string>>{{"Key\"1"}, {"select"}}));
}

TEST(ColumnRename, RefusesWhatItCannotRead) {
  for (const char* sql : {"", "(id", "1) + (id", "id; SELECT 1", "id AS a", "id IN (SELECT id FROM t)",
                          "users /* why */ . id", "U&\"\\0069d\" > 0", "CHECK (id > 0)"}) {
    try {
      rename_columns(sql, {{"id", "x"}});
      ADD_FAILURE() << sql;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kInternal);
      EXPECT_NE(std::string(error.what()).find(sql), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace pgsluice::job
