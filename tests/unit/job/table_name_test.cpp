// Goal: names mean what they mean in SQL.
// Method: tables of what is written and what it names.
#include "job/sql/table_name.hpp"

#include <gtest/gtest.h>

#include "unit/job/parsing.hpp"

namespace pgsluice::job {
namespace {

TEST(TableNames, FoldLikeSqlUnlessQuoted) {
  const std::pair<const char*, TableName> kCases[] = {
      {"users", {"", "users"}},
      {"Public.Users", {"public", "users"}},
      {" public . users ", {"public", "users"}},
      {"\"Odd Schema\".\"Order Lines\"", {"Odd Schema", "Order Lines"}},
      {"\"Odd\"\"q\"", {"", "Odd\"q"}},
      {"\"a.b\"", {"", "a.b"}},
      {"_x$1", {"", "_x$1"}},
      {"GRÖSSE", {"", "grÖsse"}},
      {"order", {"", "order"}},
      {"public.\"Users\"", {"public", "Users"}},
  };
  for (const auto& [text, table] : kCases) {
    const auto parsed = parse_table_name(text);
    ASSERT_EQ(refusal_of(parsed), "accepted") << text;
    EXPECT_EQ(std::get<TableName>(parsed), table) << text;
  }
}

TEST(TableNames, RefuseWhatIsNoName) {
  const std::pair<std::string, const char*> kCases[] = {
      {"", "ends where a name is expected"},
      {"public.", "ends where a name is expected"},
      {".users", "has \".\" where a name begins"},
      {"1users", "has \"1\" where a name begins"},
      {"a.b.c", "has more than two parts"},
      {"users u", "is not one table name (\"u\" is left over)"},
      {"users; drop table x", "is not one table name (\"; drop table x\" is left over)"},
      {"Order-Lines", "is not one table name (\"-Lines\" is left over)"},
      {"\"users", "has no closing double quote"},
      {"\"\"", "contains an empty name"},
      {std::string(64, 'a'), "contains a name longer than 63 bytes"},
  };
  for (const auto& [text, message] : kCases) EXPECT_EQ(refusal_of(parse_table_name(text)), message) << text;
}

TEST(ColumnNames, AreOneIdentifier) {
  EXPECT_EQ(std::get<std::string>(parse_column_name("Email")), "email");
  EXPECT_EQ(std::get<std::string>(parse_column_name("\"Order No\"")), "Order No");
  EXPECT_EQ(refusal_of(parse_column_name("a.b")), "is not one column name (\".b\" is left over)");
  EXPECT_EQ(refusal_of(parse_column_name("Order No")), "is not one column name (\"No\" is left over)");
}

TEST(Names, AreWrittenSoThatTheyReadBack) {
  EXPECT_EQ(written(TableName{"public", "users"}), "public.users");
  for (const TableName& table : {TableName{"Odd Schema", "q\"q"}, TableName{"", "1st"}, TableName{"a", "B"},
                                 TableName{"", "grÖsse"}}) {
    EXPECT_EQ(std::get<TableName>(parse_table_name(written(table))), table);
  }
}

}  // namespace
}  // namespace pgsluice::job
