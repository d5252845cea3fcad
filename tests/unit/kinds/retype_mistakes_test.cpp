// Goal: every mistake in a retype is told with its place and the way out, and all of them at once.
// Method: a table of small steps with one mistake each, and one step with many.
#include <gtest/gtest.h>

#include "unit/job/parsing.hpp"

namespace pgsluice::job {
namespace {

struct Case {
  const char* keys;  // from line 5 on
  const char* expected;
};

void expect_all(const std::string& head, const std::vector<Case>& cases) {
  const std::string begin = "name = \"n\"\n[[step]]\nname = \"s\"\nkind = \"retype\"\n";
  for (const Case& each : cases)
    EXPECT_EQ(mistakes(parse(begin + head + each.keys)), std::string(each.expected) + "\n") << each.keys;
}

constexpr const char* kTablesHint =
    "write tables = [\"users\", …] for their primary keys, or table = \"users\" with column = \"…\"\n";

std::string with(const std::string& message, const char* hint) {
  return message + " | " + hint;
}

void expect_tables(const char* keys, const std::string& message) {
  const std::string begin = "name = \"n\"\n[[step]]\nname = \"s\"\nkind = \"retype\"\nto = \"bigint\"\n";
  EXPECT_EQ(mistakes(parse(begin + keys)), with(message, kTablesHint)) << keys;
}

TEST(RetypeMistakes, InTheChoiceOfTablesAreFound) {
  expect_tables("", "2:1 step \"s\" lacks tables");
  expect_tables("tables = []", "6:10 step \"s\": tables names no table");
  expect_tables("tables = [\"a\"]\ntable = \"a\"", "7:9 step \"s\": table cannot be combined with tables");
}

TEST(RetypeMistakes, InTablesAndColumnsAreFound) {
  expect_all(
      "to = \"bigint\"\n",
      {
          {"tables = \"a\"", "6:10 step \"s\": tables must be an array of strings, not a string | "},
          {"tables = [\"a\", \"b\",\n  \"A\"]",
           "7:3 step \"s\": tables names table a twice | name each table once"},
          {"tables = [\"a\", \"b.c.d\"]",
           "6:16 step \"s\": tables has more than two parts | write schema.table; the connection determines "
           "the database"},
          {"table = \"a b\"",
           "6:9 step \"s\": table is not one table name (\"b\" is left over) | write it as in SQL, in double "
           "quotes if it contains spaces or other special characters: '\"Order Lines\"'"},
          {"table = [\"a\"]", "6:9 step \"s\": table must be a string, not an array | "},
          {"table = \"a\"\ncolumn = \"b c\"",
           "7:10 step \"s\": column is not one column name (\"c\" is left over) | write it as in SQL, in "
           "double quotes if it contains spaces or other special characters: '\"Order No\"'"},
          {"tables = [\"a\"]\ncolumn = \"b\"",
           "7:10 step \"s\": column cannot be combined with tables | write table = \"…\": a column belongs "
           "to one "
           "table"},
          {"table = \"a\"\ncolum = \"b\"",
           "7:1 unknown key \"colum\" in step \"s\" | did you mean \"column\"?"},
      });
}

TEST(RetypeMistakes, InTheTypeAreFound) {
  expect_all(
      "table = \"a\"\n",
      {
          {"", "2:1 step \"s\" lacks to | write the type that the column gets: to = \"uuid\""},
          {"to = 8", "6:6 step \"s\": to must be a string, not an integer | "},
          {"to = \"bigint NOT NULL\"",
           "6:6 step \"s\": to is not one type | write it as in SQL: uuid, bigint, numeric(12,2), text[], "
           "app.\"Mood\""},
          {"to = \"bigserial\"",
           "6:6 step \"s\": to is bigserial, which is not a type | write smallint, integer or bigint: a "
           "sequence is carried over by itself"},
          {"to = \"uuid\"",
           "6:6 step \"s\": to = \"uuid\" does not say how a uuid is made from the old value | write mapping "
           "= "
           "\"embed\", \"v5\" with namespace, \"v7\" with from, or \"random\"; or using = \"SQL "
           "expression\""},
      });
}

TEST(RetypeMistakes, InTheMappingAreFound) {
  expect_all(
      "table = \"a\"\nto = \"uuid\"\n",
      {
          {"mapping = \"embedd\"",
           "7:11 step \"s\": mapping \"embedd\" is not known | did you mean \"embed\"?"},
          {"mapping = \"sha\"",
           "7:11 step \"s\": mapping \"sha\" is not known | known mappings: embed, v5, v7, random"},
          {"mapping = \"using\"",
           "7:11 step \"s\": mapping \"using\" is not known | leave mapping out and write using = \"SQL "
           "expression\""},
          {"mapping = 5", "7:11 step \"s\": mapping must be a string, not an integer | "},
          {"mapping = \"embed\"\nusing = \"f(id)\"",
           "8:9 step \"s\": using cannot be combined with mapping | write one or the other"},
          {"mapping = \"embed\"\nback = \"f(id)\"",
           "8:8 step \"s\": back cannot be combined with mapping | leave back out: a mapping has its own way "
           "back"},
      });
  expect_all("table = \"a\"\nto = \"bigint\"\n",
             {{"mapping = \"embed\"",
               "7:11 step \"s\": mapping \"embed\" makes uuids, but to is bigint | write to = \"uuid\", or "
               "using = \"SQL expression\" instead of mapping"}});
}

TEST(RetypeMistakes, InWhatAMappingNeedsAreFound) {
  const std::string uuid_hint =
      "choose a uuid once and never change it: namespace = \"6ba7b810-9dad-11d1-80b4-00c04fd430c8\"";
  const std::string no_uuid = "8:13 step \"s\": namespace is not a uuid | " + uuid_hint;
  const std::string no_namespace = "2:1 step \"s\" lacks namespace | " + uuid_hint;
  expect_all(
      "table = \"a\"\nto = \"uuid\"\n",
      {
          {"mapping = \"v5\"", no_namespace.c_str()},
          {"mapping = \"v5\"\nnamespace = \"dns\"", no_uuid.c_str()},
          {"mapping = \"v5\"\nnamespace = \"6ba7b810-9dad-11d1-80b4-00c04fd430cg\"", no_uuid.c_str()},
          {"mapping = \"v5\"\nnamespace = \"6ba7b8109dad-11d1-80b4-00c04fd430c8-\"", no_uuid.c_str()},
          {"mapping = \"v5\"\nnamespace = 5",
           "8:13 step \"s\": namespace must be a string, not an integer | "},
          {"mapping = \"embed\"\nnamespace = \"x\"",
           "8:13 step \"s\": namespace belongs to mapping = \"v5\" | leave namespace out"},
          {"using = \"f(id)\"\nnamespace = \"x\"",
           "8:13 step \"s\": namespace belongs to mapping = \"v5\" | leave namespace out"},
          {"mapping = \"v7\"",
           "2:1 step \"s\" lacks from | name the column that holds a row's creation time: from = "
           "\"created_at\""},
          {"mapping = \"v7\"\nfrom = \"a.b\"",
           "8:8 step \"s\": from is not one column name (\".b\" is left over) | write it as in SQL, in "
           "double quotes if it contains spaces or other special characters: '\"Order No\"'"},
          {"mapping = \"random\"\nfrom = \"b\"",
           "8:8 step \"s\": from belongs to mapping = \"v7\" | leave from out"},
          {"mapping = \"v6\"\nfrom = \"b\"\nnamespace = \"x\"",
           "7:11 step \"s\": mapping \"v6\" is not known | did you mean \"v5\"?"},
      });
}

TEST(RetypeMistakes, InExpressionsAreFound) {
  expect_all(
      "table = \"a\"\nto = \"bigint\"\ncolumn = \"Id\"\n",
      {
          {"using = \" \"",
           "8:9 step \"s\": using is empty | write one SQL expression over the row's own columns, such as "
           "lower(email)"},
          {"using = 5", "8:9 step \"s\": using must be a string, not an integer | "},
          {"using = \"max(id)\"",
           "8:9 step \"s\": using contains the aggregate max | a value is computed row by row"},
          {"using = \"id + $1\"",
           "8:9 step \"s\": using contains the parameter $1 | the expression gets no parameters: write the "
           "value itself"},
          {"using = \"(SELECT b FROM c WHERE c.id = id)\"",
           "8:9 step \"s\": using holds a subquery | other tables' contents can change; a function may look "
           "up what does not change"},
          {"back = \"id + other\"",
           "8:8 step \"s\": back reads other | it may read only the changed column, by its bare name: id"},
          {"back = \"a.id\"",
           "8:8 step \"s\": back reads a.id | it may read only the changed column, by its bare name: id"},
          {"back = \"id.id\"",
           "8:8 step \"s\": back reads id.id | it may read only the changed column, by its bare name: id"},
          {"using = \"f(a.*)\"",
           "8:9 step \"s\": using reads a.* | it may read only the changed column, by its bare name: id"},
          {"new_ids = \"(SELECT 1)\"",
           "8:11 step \"s\": new_ids holds a subquery | other tables' contents can change; a function may "
           "look up what does not change"},
          {"new_ids = \"f(id)\"",
           "8:11 step \"s\": new_ids reads a column | a default cannot read columns; write, for example, "
           "gen_random_uuid()"},
          {"new_ids = \"1; SELECT 2\"",
           "8:11 step \"s\": new_ids must be one expression, but contains 2 statements | write one SQL "
           "expression over the row's own columns, such as lower(email)"},
      });
  expect_all("table = \"a\"\nto = \"bigint\"\n",
             {{"using = \"a + b\"",
               "7:9 step \"s\": using reads b | it may read only the changed column, by its bare name"}});
}

TEST(RetypeMistakes, InTheCutOverAreFound) {
  expect_all(
      "table = \"a\"\nto = \"bigint\"\n",
      {
          {"cutover = \"automatic\"",
           "7:11 step \"s\": cutover \"automatic\" is not known | known cut-overs: manual, auto"},
          {"cutover = true", "7:11 step \"s\": cutover must be a string, not a boolean | "},
          {"kill_blockers_after = 5",
           "7:23 step \"s\": kill_blockers_after must be a string, not an integer | "},
          {"kill_blockers_after = \"soon\"",
           "7:23 step \"s\": kill_blockers_after must be a duration with its unit (ms, s, min, h, d), such "
           "as \"30s\", not \"soon\" | leave it out to end nobody's transaction"},
          {"kill_blockers_after = \"999ms\"",
           "7:23 step \"s\": kill_blockers_after must be between 1s and 1d, not 999ms | leave it out to end "
           "nobody's transaction"},
          {"kill_blockers_after = \"2d\"",
           "7:23 step \"s\": kill_blockers_after must be between 1s and 1d, not 2d | leave it out to end "
           "nobody's transaction"},
      });
}

TEST(RetypeMistakes, AreToldAllAtOnce) {
  const JobFile file = parse(R"toml(name = "n"
[[step]]
name = "s"
kind = "retype"
tables = ["a", "a"]
column = "b"
to = "setof uuid"
mapping = "v8"
using = "count(*)"
back = "1;"
new_ids = "b"
cutover = "now"
kill_blockers_after = "0s"
walk = "keyset"
)toml");
  std::string places;
  for (const Diagnostic& found : file.diagnostics)
    places += std::to_string(found.line) + ":" + std::to_string(found.column) + " ";
  EXPECT_EQ(places, "5:16 6:10 7:6 8:11 9:9 9:9 10:8 10:8 11:11 12:11 13:23 14:1 ");
}

}  // namespace
}  // namespace pgsluice::job
