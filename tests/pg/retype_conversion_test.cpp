// Goal: a change of type without an expression means what ALTER TABLE … TYPE means, loses no digit, letter or
// byte, and is refused before the first write where it would. Method: the real program on small tables, one
// member of each kind, and questions to the server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/one_column.hpp"

namespace pgsluice::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// ----- values that would be cut

struct Cut {
  const char* name;
  const char* type;
  const char* to;
  const char* values;  // of rows 1 and 2; the second one fits
  const char* cured;   // an UPDATE's SET for row 1
};

class CutValues : public OneColumn, public testing::WithParamInterface<Cut> {};

TEST_P(CutValues, AreCountedAndNamedBeforeAnyWriteAndThenCarriedThrough) {
  const auto& at = GetParam();
  make_table(at.type, at.values);
  change_to(at.to);
  EXPECT_THAT(text_of("check", 5), AllOf(HasSubstr("1 values of column \"c\""), HasSubstr("(1): ")));
  expect("run", 5);
  EXPECT_EQ(columns(), "id, c, note");
  db().exec(std::string("UPDATE t SET c = ") + at.cured +
            " WHERE id = 1; CREATE TABLE twin AS SELECT * FROM t");
  db().exec(std::string("ALTER TABLE twin ALTER COLUMN c TYPE ") + at.to);
  expect("run", 9);
  expect("cutover", 0);
  EXPECT_EQ(rows_that_differ_from("twin"), 0);
}

INSTANTIATE_TEST_SUITE_P(
    Types, CutValues,
    testing::Values(Cut{"Scale", "numeric", "numeric(6,2)", "(1, 1.005), (2, 7)", "1.5"},
                    Cut{"Seconds", "timestamp", "timestamp(0)",
                        "(1, '2024-01-01 00:00:00.6'), (2, '2024-01-01')", "'2024-01-02'"},
                    Cut{"Single", "double precision", "real", "(1, 0.1), (2, 0.5)", "0.25"},
                    Cut{"Day", "timestamp", "date", "(1, '2024-01-01 10:00'), (2, '2024-01-01')",
                        "'2024-01-02'"},
                    Cut{"Blanks", "text", "char(4)", "(1, 'a  '), (2, 'abcd')", "'ab'"},
                    Cut{"Bits", "bit varying", "bit(4)", "(1, '10101'), (2, '1010')", "'1111'"},
                    Cut{"Whole", "numeric", "integer", "(1, 1.5), (2, 2)", "3"},
                    Cut{"Items", "text[]", "varchar(3)[]", "(1, '{abcd}'), (2, '{abc}')", "'{ab}'"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(OneColumn, WhatUsingCutsIsTheOperatorsWord) {
  make_table("text", "(1, 'abcdef'), (2, 'ab')");
  change_to("varchar(3)", "using = \"c::varchar(3)\"");
  expect("run", 9);
  expect("cutover", 0);
  EXPECT_EQ(db().text("SELECT string_agg(c, ',' ORDER BY id) FROM t"), "abc,ab");
}

TEST_F(OneColumn, AValueThatTheNewTypeCannotTakeIsRefusedWhenItIsWrittenNotCut) {
  make_table("text", "(1, 'ab'), (2, 'abc')");
  change_to("varchar(3)");
  expect("run", 9);
  EXPECT_ANY_THROW(db().exec("INSERT INTO t (id, c) VALUES (3, 'abcd')"));
  db().exec("UPDATE t SET note = 'x'");
  expect("cutover", 0);
  EXPECT_EQ(db().text("SELECT string_agg(c, ',' ORDER BY id) FROM t"), "ab,abc");
}

TEST_F(OneColumn, AValueThatOnlyTheNewTypeCanTakeIsWrittenAndKeepsTheWayBackShut) {
  make_table("varchar(3)", "(1, 'ab'), (2, 'abc')");
  change_to("text");
  expect("run", 9);
  expect("cutover", 0);
  db().exec("INSERT INTO t (id, c) VALUES (3, 'abcd')");
  EXPECT_THAT(refusal_of(expect("rollback", 1)).message, AllOf(HasSubstr("\"t\""), HasSubstr("(3): ")));
  db().exec("UPDATE t SET c = 'xyz' WHERE id = 3");
  expect("rollback", 0);
  EXPECT_EQ(db().text("SELECT string_agg(c, ',' ORDER BY id) FROM t"), "ab,abc,xyz");
  EXPECT_EQ(type(), "character varying(3)");
}

TEST_F(OneColumn, AWayBackThatWouldRoundIsShutToo) {
  make_table("numeric(6,2)", "(1, 1.25), (2, 7)");
  change_to("numeric");
  expect("run", 9);
  expect("cutover", 0);
  db().exec("UPDATE t SET c = 1.255 WHERE id = 1; UPDATE t SET c = 8 WHERE id = 2");
  EXPECT_THAT(refusal_of(expect("rollback", 1)).message, HasSubstr("(1): it would be cut or rounded"));
  db().exec("UPDATE t SET c = 1.26 WHERE id = 1");
  expect("rollback", 0);
  EXPECT_EQ(db().text("SELECT string_agg(c::text, ',' ORDER BY id) FROM t"), "1.26,8.00");
}

// ----- what a session's settings decide

struct Unsteady {
  const char* name;
  const char* type;
  const char* to;
  const char* lines;
};

class UnsteadyCasts : public OneColumn, public testing::WithParamInterface<Unsteady> {};

TEST_P(UnsteadyCasts, AreRefusedWithTheImmutableWay) {
  const auto& at = GetParam();
  make_table(at.type, "");
  change_to(at.to, at.lines);
  const auto text = text_of("check", 5);
  EXPECT_THAT(text, testing::AnyOf(HasSubstr("of each session"), HasSubstr("IMMUTABLE")));
  EXPECT_EQ(columns(), "id, c, note");
}

INSTANTIATE_TEST_SUITE_P(
    Types, UnsteadyCasts,
    testing::Values(
        Unsteady{"DateToZone", "date", "timestamptz", ""}, Unsteady{"ZoneToDate", "timestamptz", "date", ""},
        Unsteady{"FloatToText", "double precision", "text", ""},
        Unsteady{"IntervalToText", "interval", "text", ""}, Unsteady{"BytesToText", "bytea", "text", ""},
        Unsteady{"TextToTime", "text", "timestamp", ""}, Unsteady{"Money", "numeric", "money", ""},
        Unsteady{"Arrays", "timestamp[]", "timestamptz[]", ""},
        Unsteady{"Now", "integer", "timestamptz", "using = \"now()\"\nback = \"1\""},
        Unsteady{"Random", "integer", "double precision", "using = \"random()\""},
        Unsteady{"FloatInUsing", "double precision", "text", "using = \"c::text || 'x'\"\nback = \"0\""},
        Unsteady{"Back", "timestamp", "timestamptz", "using = \"c AT TIME ZONE 'UTC'\""},
        Unsteady{"BackSaid", "text", "integer", "using = \"length(c)\"\nback = \"c::text || now()::text\""}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(OneColumn, ASaidZoneGoesThereAndBack) {
  make_table("timestamp", "(1, '2024-07-01 12:00'), (2, 'infinity')");
  change_to("timestamptz", "using = \"c AT TIME ZONE 'UTC'\"\nback = \"c AT TIME ZONE 'UTC'\"");
  expect("run", 9);
  db().exec("SET TimeZone = 'America/New_York'; INSERT INTO t (id, c) VALUES (3, '2024-07-01 12:00')");
  expect("cutover", 0);
  EXPECT_EQ(db().number("SELECT count(*) FROM t WHERE c = '2024-07-01 12:00+00'"), 2);
  expect("rollback", 0);
  EXPECT_EQ(db().number("SELECT count(*) FROM t WHERE c = '2024-07-01 12:00'"), 2);
}

// ----- identity, not equality

struct Equal {
  const char* name;
  const char* type;
  const char* to;
  const char* first;
  const char* then;  // equal by the type's own word, and not the same
};

class EqualValues : public OneColumn, public testing::WithParamInterface<Equal> {};

TEST_P(EqualValues, AreWritesLikeAnyOther) {
  const auto& at = GetParam();
  db().exec("CREATE EXTENSION IF NOT EXISTS citext");
  const auto set = [&](const char* value) {
    db().exec(std::string("UPDATE t SET c = '") + value + "' WHERE id = 1");
  };
  const auto now = [&] { return db().text("SELECT c::text FROM t WHERE id = 1"); };
  make_table(at.type, std::string("(1, '") + at.first + "'), (2, NULL)");
  change_to(at.to);
  expect("run", 9);
  set(at.then);
  const auto written = now();
  expect("verify", 0);
  expect("cutover", 0);
  EXPECT_EQ(now(), written);
  set(at.first);
  const auto last = now();
  expect("verify", 0);
  expect("rollback", 0);
  EXPECT_EQ(now(), last);
}

INSTANTIATE_TEST_SUITE_P(
    Types, EqualValues,
    testing::Values(Equal{"Case", "citext", "text", "a", "A"}, Equal{"CaseThere", "text", "citext", "a", "A"},
                    Equal{"Zeros", "numeric", "text", "1.0", "1.00"},
                    Equal{"Days", "interval[]", "interval(6)[]", "{1 mon}", "{30 days}"}),
    [](const auto& test) { return std::string(test.param.name); });

// ----- types that are found, and say why not

TEST_F(OneColumn, AnIndexedTextBecomesADomainAnEnumOrCitext) {
  db().exec(
      "CREATE EXTENSION citext; CREATE DOMAIN short AS varchar(8) CHECK (VALUE <> ''); CREATE TYPE mood AS "
      "ENUM "
      "('sad', 'glad')");
  for (const char* to : {"citext", "short", "mood"}) {
    db().exec("DROP TABLE IF EXISTS t");
    make_table("text", "(1, 'sad'), (2, 'glad')");
    db().exec("CREATE INDEX ON t (c); CREATE UNIQUE INDEX ON t (id, c)");
    trial().job(std::string("name = \"to-") + to +
                "\"\n\n[[step]]\nkind = \"retype\"\nname = \"type\"\ntable = " +
                "\"t\"\ncolumn = \"c\"\nto = \"" + to + "\"\n");
    expect("run", 9);
    expect("cutover", 0);
    EXPECT_EQ(type(), to);
    expect("rollback", 0);
    EXPECT_EQ(type(), "text");
  }
}

TEST_F(OneColumn, AValueOutsideOfADomainIsNamed) {
  db().exec("CREATE DOMAIN small AS int CHECK (VALUE < 10)");
  make_table("integer", "(1, 5), (2, 50)");
  change_to("small");
  EXPECT_THAT(text_of("check", 5), HasSubstr("(2): value for domain small violates check constraint"));
}

TEST_F(OneColumn, ATypeThatRefusesNullOrIsNotThereIsNamed) {
  db().exec("CREATE DOMAIN filled AS text NOT NULL");
  make_table("text", "(1, 'a'), (2, 'b')");
  change_to("filled");
  EXPECT_THAT(text_of("check", 5), HasSubstr("refuses NULL"));
  change_to("no_such_type");
  EXPECT_THAT(text_of("check", 5), HasSubstr("there is no type no_such_type"));
}

TEST_F(OneColumn, ATypeWithoutAWayBackNeedsOne) {
  make_table("text", "(1, 'a'), (2, 'b')");
  change_to("integer", "using = \"length(c)\"");
  expect("run", 9);
  expect("rollback", 0);
  make_table_again("point", "(1, '(1,2)'), (2, '(3,4)')");
  trial().job(
      "name = \"p\"\n\n[[step]]\nkind = \"retype\"\nname = \"type\"\ntable = \"t\"\ncolumn = \"c\"\nto = "
      "\"integer\"\n"
      "using = \"(c[0])::integer\"\n");
  EXPECT_THAT(text_of("check", 5), AllOf(HasSubstr("no way back"), HasSubstr("`back`")));
}

TEST_F(OneColumn, ADefaultOfADomainFillsNothing) {
  db().exec("CREATE DOMAIN code AS text DEFAULT 'none'");
  make_table("text", "(1, 'a'), (2, NULL)");
  change_to("code");
  expect("run", 9);
  expect("verify", 0);
  expect("cutover", 0);
  EXPECT_EQ(db().text("SELECT c FROM t WHERE id = 1"), "a");
  EXPECT_TRUE(db().yes("SELECT c IS NULL FROM t WHERE id = 2"));
}

TEST_F(OneColumn, AnEmptySearchPathIsOne) {
  make_table("integer", "(1, 5), (2, 50)");
  const auto role = trial().make_role("pathless");
  db().exec("ALTER ROLE " + role + " SET search_path = ''; ALTER TABLE t OWNER TO " + role +
            "; GRANT CREATE ON DATABASE \"" + trial().database() + "\" TO " + role);
  trial().connect_as(trial().dsn(role));
  trial().job(
      "name = \"change\"\n\n[[step]]\nkind = \"retype\"\nname = \"type\"\ntable = \"public.t\"\ncolumn = "
      "\"c\"\nto = "
      "\"bigint\"\nusing = \"c * 2\"\nback = \"(c / 2)::integer\"\n");
  expect("run", 9);
  db().exec("INSERT INTO t (id, c) VALUES (3, 7)");
  expect("cutover", 0);
  EXPECT_EQ(db().text("SELECT string_agg(c::text, ',' ORDER BY id) FROM t"), "10,100,14");
}

// ----- what only all rows together tell

TEST_F(OneColumn, RowsThatWouldBeEqualInTheNewTypeAreToldBeforeAnyWrite) {
  db().exec("CREATE EXTENSION citext");
  make_table("text", "(1, 'a'), (2, 'A')");
  db().exec("CREATE UNIQUE INDEX one ON t (c)");
  change_to("citext");
  EXPECT_THAT(text_of("check", 5),
              AllOf(HasSubstr("unique index \"one\""), HasSubstr("would be equal in citext")));
  expect("run", 5);
  EXPECT_EQ(columns(), "id, c, note");
  db().exec("DELETE FROM t WHERE id = 2");
  expect("run", 9);
}

TEST_F(OneColumn, ACheckThatUsingLeadsOutOfIsToldBeforeAnyWrite) {
  make_table("integer CHECK (c < 100)", "(1, 5), (2, 50)");
  change_to("bigint", "using = \"c * 10\"\nback = \"(c / 10)::integer\"");
  EXPECT_THAT(text_of("check", 5), HasSubstr("some new values would violate it"));
  expect("run", 5);
  EXPECT_EQ(columns(), "id, c, note");
}

TEST_F(OneColumn, NullsThatUsingFillsAreNullAgainOnTheWayBack) {
  make_table("integer", "(1, 5), (2, NULL), (3, NULL)");
  change_to("bigint", "using = \"coalesce(c, 0)::bigint\"");
  expect("run", 9);
  expect("cutover", 0);
  EXPECT_EQ(db().number("SELECT count(*) FROM t WHERE c = 0"), 2);
  db().exec("UPDATE t SET c = 7 WHERE id = 3");
  expect("rollback", 0);
  EXPECT_EQ(db().text("SELECT string_agg(coalesce(c::text, '-'), ',' ORDER BY id) FROM t"), "5,-,7");
}

TEST_F(OneColumn, NullsThatUsingMakesLeaveTheWayBackOpen) {
  make_table("varchar(10)", "(1, ''), (2, 'a')");
  change_to("text", "using = \"nullif(c, '')\"");
  expect("run", 9);
  expect("cutover", 0);
  expect("rollback", 0);
  EXPECT_EQ(db().text("SELECT string_agg(c, ',' ORDER BY id) FROM t"), ",a");
}

TEST_F(OneColumn, AValueThatIsNoKeyNeedsAWayBack) {
  make_table("text", "(1, '00000000-0000-4000-8000-000000000001')");
  change_to("uuid", "using = \"c::uuid\"");
  EXPECT_THAT(text_of("check", 5),
              HasSubstr("is not a key, and a value written after the cut-over would have no old one"));
}

TEST_F(OneColumn, AFunctionThatAWriterMayNotCallIsNamed) {
  make_table("integer", "(1, 5)");
  const auto role = trial().make_role("writer");
  db().exec(
      "CREATE FUNCTION twice(int) RETURNS bigint IMMUTABLE LANGUAGE sql AS 'SELECT $1 * 2::bigint'; REVOKE "
      "EXECUTE ON "
      "FUNCTION twice FROM PUBLIC; GRANT UPDATE ON t TO " +
      role);
  change_to("bigint", "using = \"twice(c)\"\nback = \"(c / 2)::integer\"");
  EXPECT_THAT(text_of("check", 5), HasSubstr("may not execute twice"));
}

TEST_F(OneColumn, AFloatBehindADomainIsWrittenByNoSetting) {
  db().exec("CREATE DOMAIN weight AS double precision");
  make_table("weight", "(1, 5)");
  change_to("text", "using = \"c::text\"\nback = \"c::double precision\"");
  EXPECT_THAT(text_of("check", 5), HasSubstr("IMMUTABLE"));
}

TEST_F(OneColumn, AValueThatWouldBeRoundedIsRefusedWhileTheJobIsReady) {
  make_table("numeric", "(1, 5)");
  change_to("numeric(8,2)");
  expect("run", 9);
  EXPECT_ANY_THROW(db().exec("UPDATE t SET c = 1.005"));
  db().exec("UPDATE t SET c = 1.5, note = 'x'");
  expect("cutover", 0);
  EXPECT_EQ(db().text("SELECT c FROM t"), "1.50");
}

}  // namespace
}  // namespace pgsluice::test
