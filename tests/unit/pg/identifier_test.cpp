// Goal: no name and no text can end its quotes.

#include "pg/identifier.hpp"

#include <gtest/gtest.h>

namespace pgsluice::pg {
namespace {

TEST(Identifier, QuotesAlways) {
  EXPECT_EQ(Identifier("users").sql(), "\"users\"");
  EXPECT_EQ(Identifier("public", "Order Lines").sql(), "\"public\".\"Order Lines\"");
  EXPECT_EQ(Identifier("", "users").sql(), "\"users\"");
}

TEST(Identifier, DoublesQuotesInside) {
  EXPECT_EQ(Identifier("x\"; drop table y; --").sql(), "\"x\"\"; drop table y; --\"");
}

TEST(Identifier, ListsColumns) {
  EXPECT_EQ(column_list({"a", "B c"}, "t."), "t.\"a\", t.\"B c\"");
}

TEST(Literal, EndsOnlyAtItsEnd) {
  EXPECT_EQ(literal("it's"), "'it''s'");
  EXPECT_EQ(literal("a\\' ; --"), "E'a\\\\'' ; --'");
}

}  // namespace
}  // namespace pgsluice::pg
