// Goal: the type of a retype is one type and cannot carry anything else into a statement.
// Method: tables of accepted and refused texts.
#include "job/sql/type_name.hpp"

#include <gtest/gtest.h>

#include "unit/job/parsing.hpp"

namespace pgsluice::job {
namespace {

TEST(TypeNames, AreAcceptedAsTheyAreWritten) {
  for (const char* text :
       {"uuid", "bigint", "INT8", "numeric(12, 2)", "varchar(20)", "character varying", "text[]", "int[3][]",
        "uuid[]", "timestamp (3) with time zone", "interval year to month", "double precision", "\"char\"",
        "bit varying(3)", "app.\"Mood\"", "\"UUID\"", "int /* why */"}) {
    const auto checked = parse_type_name(text);
    ASSERT_EQ(refusal_of(checked), "accepted") << text;
    EXPECT_EQ(std::get<std::string>(checked), text);
  }
}

TEST(TypeNames, HaveOneSpellingOfUuid) {
  for (const char* text : {"uuid", " UUID\n", "\"uuid\"", "pg_catalog.uuid"}) {
    EXPECT_EQ(std::get<std::string>(parse_type_name(text)), "uuid") << text;
  }
}

TEST(TypeNames, AreOneTypeAndNothingElse) {
  for (const char* text : {"",
                           " ",
                           "uuid NOT NULL",
                           "uuid::text",
                           "uuid COLLATE \"C\"",
                           "uuid AS x",
                           "uuid x",
                           "uuid, NULL::int",
                           "int), (NULL::int",
                           "uuid; DROP TABLE x",
                           "uuid) ; DROP TABLE x; --",
                           "uuid --",
                           "uuid -- why",
                           "uuid /*",
                           "setof uuid",
                           "uuid + 1",
                           "t.c%TYPE",
                           "1",
                           "uuid FROM t",
                           "uuid DEFAULT 1",
                           "\"open",
                           "numeric(",
                           "uuid;",
                           "a b c"}) {
    EXPECT_EQ(refusal_of(parse_type_name(text)), "is not one type") << text;
  }
}

TEST(TypeNames, AreNoSerials) {
  EXPECT_EQ(refusal_of(parse_type_name("bigserial")), "is bigserial, which is not a type");
  EXPECT_EQ(refusal_of(parse_type_name("SERIAL4")), "is serial4, which is not a type");
  EXPECT_EQ(refusal_of(parse_type_name("app.serial")), "accepted");
}

}  // namespace
}  // namespace pgsluice::job
