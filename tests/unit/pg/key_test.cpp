// Goal: a key's texts come back from the ledger's text[] exactly as they went in, whatever they hold.

#include "pg/key.hpp"

#include <gtest/gtest.h>

namespace pgsluice::pg {
namespace {

TEST(Key, SurvivesTheArrayWithQuotesBackslashesCommasAndBraces) {
  for (const Key& key :
       {Key{"42"}, Key{"a,b", "{x}"}, Key{"say \"hi\"", "back\\slash"}, Key{"", " "}, Key{"NULL", "ä\n\t"},
        Key{"2026-11-21 10:00:00+00", "-9223372036854775808"}, Key{"\\\"", "}"}}) {
    EXPECT_EQ(from_array(to_array(key)), key) << to_array(key);
  }
}

TEST(Key, ReadsWhatTheServerWritesWithoutQuotes) {
  EXPECT_EQ(from_array("{42,abc}"), (Key{"42", "abc"}));
  EXPECT_EQ(from_array("{\"a b\",c}"), (Key{"a b", "c"}));
  EXPECT_EQ(from_array("{}"), Key{});
}

TEST(Key, BeforeTheFirstRowIsNull) {
  EXPECT_FALSE(to_value(std::nullopt).has_value());
  EXPECT_FALSE(from_value(Value{}).has_value());
  EXPECT_EQ(from_value(to_value(Key{"x"})), Key{"x"});
}

TEST(Key, IsShownAsPeopleWriteIt) {
  EXPECT_EQ(display({"42"}), "42");
  EXPECT_EQ(display({"Berlin", "42"}), "(Berlin, 42)");
}

}  // namespace
}  // namespace pgsluice::pg
