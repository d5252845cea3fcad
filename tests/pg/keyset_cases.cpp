#include "pg/keyset_cases.hpp"

namespace pgsluice::test {
namespace {

TableName table(const std::string& name) {
  return {"", name};
}

// Characters that the ledger's text[] has to quote, and words that sort differently under every collation.
constexpr const char* kWords = R"sql(
SELECT w FROM unnest(ARRAY['', ' ', 'a', 'B', 'ä', 'Ä', 'b', 'A', 'a b', 'a-b', 'ab', 'ß', 'ss', 'NULL', '"', '\', '{}',
                           'x,y', E'line\nbreak', '''', 'œ', 'z', 'Z', '10', '9', '日本', '%s']) w
UNION ALL SELECT chr(97 + i % 26) || chr(65 + i % 7) || i FROM generate_series(1, 150) i
)sql";

std::string words_into(const std::string& name, const std::string& column) {
  return "CREATE TABLE " + name + " (" + column + "); INSERT INTO " + name + " " + kWords;
}

std::vector<KeysetCase> numbers() {
  return {
      {"Int",
       table("t"),
       {},
       "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT i * 3 FROM generate_series(-50, 150) i"},
      {"BigintNegativeWithGapsOfBillions",
       table("t"),
       {},
       "CREATE TABLE t (id bigint PRIMARY KEY);"
       "INSERT INTO t SELECT i * 5000000000 + j FROM generate_series(-40, 40) i, generate_series(1, 3) j;"
       "INSERT INTO t VALUES (-9223372036854775808), (9223372036854775807), (0)"},
      {"NumericWithEqualValuesOfOtherScale",
       table("t"),
       {},
       "CREATE TABLE t (amount numeric, id int, PRIMARY KEY (amount, id));"
       "INSERT INTO t SELECT round(i / 7::numeric, 3), i FROM generate_series(-60, 60) i;"
       "INSERT INTO t SELECT CASE i % 3 WHEN 0 THEN 1.0 WHEN 1 THEN 1.00 ELSE 1.000 END, 1000 + i FROM "
       "generate_series(1, 90) i;"
       "INSERT INTO t VALUES ('NaN', 1), ('Infinity', 1), (1e40, 1), (-1e-40, 1)"},
      {"DoublePrecision",
       table("t"),
       {},
       "CREATE TABLE t (x double precision PRIMARY KEY);"
       "INSERT INTO t SELECT i / 3.0 FROM generate_series(-80, 80) i; INSERT INTO t VALUES (1e300), "
       "('-Infinity'), (5e-324)"},
      {"DescendingIndex",
       table("t"),
       {"id"},
       "CREATE TABLE t (id bigint NOT NULL); CREATE UNIQUE INDEX ON t (id DESC);"
       "INSERT INTO t SELECT i * 7 FROM generate_series(1, 200) i"},
  };
}

std::vector<KeysetCase> texts() {
  return {
      {"TextUnderTheDefaultCollation", table("t"), {}, words_into("t", "k text PRIMARY KEY")},
      {"TextUnderC", table("t"), {}, words_into("t", "k text COLLATE \"C\" PRIMARY KEY")},
      {"TextUnderIcu", table("t"), {}, words_into("t", "k text COLLATE \"de-x-icu\" PRIMARY KEY")},
      {"TextUnderACollationOfItsOwn",
       table("t"),
       {},
       "CREATE SCHEMA \"Odd Schema\"; CREATE COLLATION \"Odd Schema\".\"Upper First\" (provider = icu, "
       "locale = 'und-u-kf-upper');" +
           words_into("t", "k varchar(40) COLLATE \"Odd Schema\".\"Upper First\" PRIMARY KEY")},
      {"PaddedCharacters",
       table("t"),
       {},
       "CREATE TABLE t (k char(5) PRIMARY KEY); INSERT INTO t SELECT i::text FROM generate_series(1, 200) i"},
  };
}

std::vector<KeysetCase> other_types() {
  return {
      {"Uuid",
       table("t"),
       {},
       "CREATE TABLE t (id uuid PRIMARY KEY); INSERT INTO t SELECT md5(i::text)::uuid FROM "
       "generate_series(1, 200) i"},
      {"Timestamptz",
       table("t"),
       {},
       "CREATE TABLE t (at timestamptz PRIMARY KEY);"
       "INSERT INTO t SELECT '2024-10-27 00:00+00'::timestamptz + i * interval '1 minute 1 microsecond' FROM "
       "generate_series(-90, 90) i;"
       "INSERT INTO t VALUES ('infinity'), ('-infinity'), ('0044-03-15 BC')"},
      {"Date",
       table("t"),
       {},
       "CREATE TABLE t (on_day date PRIMARY KEY); INSERT INTO t SELECT date '2024-01-01' + i FROM "
       "generate_series(1, 200) i"},
      {"Bytea",
       table("t"),
       {},
       "CREATE TABLE t (k bytea PRIMARY KEY); INSERT INTO t SELECT sha256(i::text::bytea) FROM "
       "generate_series(1, 200) i; INSERT INTO t VALUES ('')"},
      {"Enum",
       table("t"),
       {},
       "CREATE TYPE mood AS ENUM ('sad', 'Ok', 'a happy'); CREATE TABLE t (m mood, id int, PRIMARY KEY (m, "
       "id));"
       "INSERT INTO t SELECT m, i FROM unnest(enum_range(NULL::mood)) m, generate_series(1, 60) i"},
  };
}

std::vector<KeysetCase> composites() {
  return {
      {"CompositeOfMixedTypesWithOneLargeTenant",
       table("t"),
       {},
       "CREATE TABLE t (tenant text, id bigint, at timestamptz, PRIMARY KEY (tenant, id, at));"
       "INSERT INTO t SELECT 'large', i / 3, timestamptz '2024-01-01 00:00+00' + i * interval '1 s' FROM "
       "generate_series(1, 300) i;"
       "INSERT INTO t SELECT 'tenant ' || i % 20, i, '2024-01-01 00:00+00' FROM generate_series(1, 100) i"},
      {"CompositeWhoseTextsSortUnderDifferentCollations",
       table("t"),
       {},
       "CREATE TABLE t (a text COLLATE \"de-x-icu\", b text COLLATE \"C\", PRIMARY KEY (a, b));"
       "INSERT INTO t SELECT a, b FROM unnest(ARRAY['a', 'B', 'ä', 'b', 'A', '']) a, unnest(ARRAY['a', 'B', "
       "'ä', 'b', 'A', '', '\"', '\\']) b"},
      {"CompositeDescending",
       table("t"),
       {"a", "b"},
       "CREATE TABLE t (a int NOT NULL, b text NOT NULL); CREATE UNIQUE INDEX ON t (a DESC, b DESC);"
       "INSERT INTO t SELECT i % 9, 'x' || i FROM generate_series(1, 200) i"},
      {"QuotedAndMixedCaseNamesInAnotherSchema",
       {"Odd Schema", "Order \"Lines\""},
       {},
       "CREATE SCHEMA \"Odd Schema\"; CREATE TABLE \"Odd Schema\".\"Order \"\"Lines\"\"\" (\"Order\" int, "
       "\"select\" text, PRIMARY KEY (\"Order\", \"select\"));"
       "INSERT INTO \"Odd Schema\".\"Order \"\"Lines\"\"\" SELECT i % 20, 'line ' || i FROM "
       "generate_series(1, 200) i"},
      {"UniqueIndexInsteadOfThePrimaryKey",
       {"", "t"},
       {"tenant", "number"},
       "CREATE TABLE t (id int PRIMARY KEY, tenant text NOT NULL, number int NOT NULL, UNIQUE (tenant, "
       "number));"
       "INSERT INTO t SELECT 201 - i, 'tenant ' || i % 3, i FROM generate_series(1, 200) i"},
      {"PartitionedTable",
       table("t"),
       {},
       "CREATE TABLE t (id int PRIMARY KEY) PARTITION BY HASH (id);"
       "CREATE TABLE t0 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 0);"
       "CREATE TABLE t1 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 1);"
       "INSERT INTO t SELECT i FROM generate_series(1, 200) i"},
  };
}

std::vector<KeysetCase> all_cases() {
  std::vector<KeysetCase> all;
  for (const auto& part : {numbers(), texts(), other_types(), composites()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace

const std::vector<KeysetCase>& keyset_cases() {
  static const std::vector<KeysetCase> cases = all_cases();
  return cases;
}

}  // namespace pgsluice::test
