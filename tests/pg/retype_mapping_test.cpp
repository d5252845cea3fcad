// Goal: every mapping and every other change of type goes there and back end to end, with what is written
// meanwhile. Method: the real program, and questions to the catalog and the rows.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/journals.hpp"
#include "support/environment.hpp"

namespace pgsluice::test {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

const int kUsers = 60;

constexpr const char* kVersions =
    "SELECT string_agg(DISTINCT substr(id::text, 15, 1), '') FROM (SELECT id FROM users UNION ALL SELECT id "
    "FROM journals UNION ALL SELECT id FROM tags UNION ALL SELECT id FROM reminders UNION ALL SELECT id FROM "
    "secret_tags) AS k";

/// Ready, cut over, written to in both shapes, and taken back; then there again and contracted.
void there_and_back_and_there(Journals& journals, const std::string& version) {
  const auto schema = schema_of(journals.trial());
  const auto keys = journals.keys();
  journals.make_ready();
  journals.expect("cutover", 0);
  EXPECT_EQ(journals.key_type(), "uuid");
  EXPECT_EQ(journals.db().text(kVersions), version);
  journals.write_with_uuids();
  EXPECT_EQ(journals.orphans(), 0);
  const auto rows = journals.rows();
  journals.expect("rollback", 0);
  EXPECT_EQ(journals.key_type(), "integer");
  EXPECT_EQ(journals.rows(), rows);
  EXPECT_EQ(journals.orphans(), 0);
  EXPECT_THAT(without(schema, schema_of(journals.trial())), IsEmpty());
  EXPECT_THAT(without(schema_of(journals.trial()), schema), IsEmpty());
  journals.make_ready();
  journals.expect("cutover", 0);
  journals.expect("contract", 0);
  EXPECT_EQ(journals.rows(), rows);
  EXPECT_EQ(journals.orphans(), 0);
  EXPECT_THAT(traces_of(journals.trial()), IsEmpty());
  journals.expect("run", 0);
}

TEST(RetypeMapping, RandomDrawsOnceAndKeepsEveryReference) {
  Journals journals(kUsers);
  journals.set_mapping("mapping = \"random\"");
  there_and_back_and_there(journals, "4");
}

TEST(RetypeMapping, V7BeginsWithTheTimeOfTheRow) {
  Journals journals(kUsers);
  journals.set_mapping("mapping = \"v7\"\nfrom = \"created_at\"");
  there_and_back_and_there(journals, "7");
  // 48 bits of milliseconds, so the order of keys is the order of time.
  EXPECT_EQ(journals.db().number(
                "SELECT count(*) FROM journals WHERE created_at < '2025-03-01' AND title LIKE 'Day %' "
                "AND ('x' || replace(left(id::text, 13), '-', ''))::bit(48)::bigint <> "
                "floor(extract(epoch FROM created_at) * 1000)"),
            0);
}

TEST(RetypeMapping, V5IsWhatOtherSystemsCompute) {
  Journals journals(kUsers);
  journals.db().exec("CREATE EXTENSION \"uuid-ossp\"");
  journals.set_mapping("mapping = \"v5\"\nnamespace = \"6ba7b810-9dad-11d1-80b4-00c04fd430c8\"");
  const auto first = journals.db().text("SELECT email FROM users WHERE id = 1");
  journals.make_ready();
  journals.expect("cutover", 0);
  EXPECT_EQ(journals.db().text("SELECT email FROM users WHERE id = "
                               "uuid_generate_v5('6ba7b810-9dad-11d1-80b4-00c04fd430c8', 'users:1')"),
            first);
  journals.expect("rollback", 0);
  there_and_back_and_there(journals, "5");
}

TEST(RetypeMapping, V5WithoutItsExtensionIsRefused) {
  Journals journals(kUsers);
  journals.set_mapping("mapping = \"v5\"\nnamespace = \"6ba7b810-9dad-11d1-80b4-00c04fd430c8\"");
  const auto refusal = refusal_of(journals.expect("run", 5));
  EXPECT_THAT(refusal.message, HasSubstr("uuid_generate_v5"));
  EXPECT_THAT(refusal.hint, HasSubstr("CREATE EXTENSION"));
}

TEST(RetypeMapping, RandomTakesWhatIsWrittenInTheOldShapeMeanwhile) {
  Journals journals(kUsers);
  journals.set_mapping("mapping = \"random\"");
  journals.make_ready();
  journals.write_with_integers();
  const auto rows = journals.rows();
  journals.expect("cutover", 0);
  EXPECT_EQ(journals.rows(), rows);
  EXPECT_EQ(journals.orphans(), 0);
}

TEST(RetypeMapping, RandomLetsNoRowComeBeforeItsParentUntilTheCutoverAndSaysSoBeforehand) {
  Journals journals(kUsers);
  journals.set_mapping("mapping = \"random\"");
  EXPECT_THAT(run_ok(journals.trial().text_command("check")), HasSubstr("reminders_journal_id_fkey"));
  journals.make_ready();
  journals.write_with_integers();
  EXPECT_ANY_THROW(journals.import_with_integers());
  journals.db().exec("ROLLBACK");
  journals.expect("cutover", 0);
  journals.write_with_uuids();  // an import among them
  EXPECT_EQ(journals.orphans(), 0);
}

// ----- other changes of type

class OneColumn : public testing::Test {
 protected:
  void job(const std::string& lines) {
    trial_.job("name = \"change\"\n\n[[step]]\nkind = \"retype\"\nname = \"type\"\n" + lines);
  }
  Finished expect(const std::string& verb, int code) {
    auto finished = trial_.verb(verb);
    EXPECT_EQ(finished.code(), code) << verb << "\n" << finished.out << finished.err;
    return finished;
  }
  std::string type_of(const std::string& table, const std::string& column) {
    return trial_.db().text("SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = '" +
                            table + "'::regclass AND attname = '" + column + "'");
  }
  void expect_schema(const std::vector<std::string>& schema) {
    const auto now = schema_of(trial_);
    EXPECT_THAT(without(schema, now), IsEmpty());
    EXPECT_THAT(without(now, schema), IsEmpty());
  }

  static std::vector<std::string> without_checks(std::vector<std::string> schema) {
    std::erase_if(schema, [](const std::string& s) { return s.find(" CHECK (") != std::string::npos; });
    return schema;
  }

  Trial trial_;
};

TEST_F(OneColumn, IntegerToBigintTakesTheSerialAlongAndEveryReference) {
  auto& db = trial_.db();
  db.exec(
      "CREATE TABLE orders (id serial PRIMARY KEY, note text);"
      "CREATE TABLE lines (id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,"
      " order_id integer NOT NULL REFERENCES orders ON DELETE CASCADE);"
      "INSERT INTO orders (note) SELECT 'n' || n FROM generate_series(1, 200) n;"
      "INSERT INTO lines (order_id) SELECT id FROM orders, generate_series(1, 3)");
  const auto schema = schema_of(trial_);
  job("table = \"orders\"\ncolumn = \"id\"\nto = \"bigint\"\n");
  expect("run", 9);
  expect("cutover", 0);
  EXPECT_EQ(type_of("orders", "id"), "bigint");
  EXPECT_EQ(type_of("lines", "order_id"), "bigint");
  EXPECT_EQ(type_of("lines", "id"), "integer");
  EXPECT_EQ(db.number("INSERT INTO orders (note) VALUES ('next') RETURNING id"), 201);
  db.exec("INSERT INTO lines (order_id) VALUES (201); DELETE FROM orders WHERE id = 5");
  expect("rollback", 0);
  EXPECT_EQ(type_of("orders", "id"), "integer");
  expect_schema(schema);
  EXPECT_EQ(db.number("SELECT count(*) FROM lines WHERE order_id IN (5, 201)"), 1);
  EXPECT_EQ(db.number("INSERT INTO orders (note) VALUES ('after') RETURNING id"), 202);

  expect("run", 9);
  expect("cutover", 0);
  expect("contract", 0);
  EXPECT_THAT(traces_of(trial_), IsEmpty());
  db.exec("SELECT setval('orders_id_seq', 3000000000)");  // the sequence is a bigint too
  EXPECT_EQ(db.number("INSERT INTO orders (note) VALUES ('large') RETURNING id"), 3'000'000'001);
  db.exec("INSERT INTO lines (order_id) VALUES (3000000001)");
  EXPECT_EQ(db.text("SELECT pg_get_serial_sequence('orders', 'id')"), "public.orders_id_seq");
}

TEST_F(OneColumn, IntegerToBigintTakesAnIdentityAlong) {
  auto& db = trial_.db();
  db.exec(
      "CREATE TABLE orders (id integer GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, note text);"
      "INSERT INTO orders (note) SELECT 'n' || n FROM generate_series(1, 200) n");
  const auto schema = schema_of(trial_);
  job("table = \"orders\"\ncolumn = \"id\"\nto = \"bigint\"\n");
  expect("run", 9);
  expect("cutover", 0);
  EXPECT_EQ(db.number("INSERT INTO orders (note) VALUES ('next') RETURNING id"), 201);
  expect("rollback", 0);
  expect_schema(schema);
  EXPECT_EQ(db.number("INSERT INTO orders (note) VALUES ('after') RETURNING id"), 202);
  expect("run", 9);
  expect("cutover", 0);
  expect("contract", 0);
  EXPECT_EQ(
      db.text("SELECT attidentity FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attname = 'id'"),
      "d");
  EXPECT_EQ(db.number("INSERT INTO orders (note) VALUES ('last') RETURNING id"), 203);
}

TEST_F(OneColumn, TextToJsonbGoesByTheOperatorsExpressionAndBack) {
  auto& db = trial_.db();
  db.exec(
      "CREATE TABLE pages (id bigint PRIMARY KEY, settings text);"
      "CREATE INDEX pages_settings ON pages (settings);"
      "INSERT INTO pages SELECT n, CASE WHEN n % 7 <> 0 THEN '{\"n\": ' || n || '}' END FROM "
      "generate_series(1, 300) n");
  const auto schema = schema_of(trial_);
  job("table = \"pages\"\ncolumn = \"settings\"\nto = \"jsonb\"\nusing = \"settings::jsonb\"\nback = "
      "\"settings::text\"\n");
  expect("run", 9);
  db.exec(
      "INSERT INTO pages (id, settings) VALUES (1001, '[1]'); UPDATE pages SET settings = '{\"n\": 0}' WHERE "
      "id = 1");
  expect("cutover", 0);
  EXPECT_EQ(type_of("pages", "settings"), "jsonb");
  EXPECT_EQ(db.number("SELECT count(*) FROM pages WHERE (settings ->> 'n')::int = id"), 300 - 42 - 1);
  EXPECT_EQ(db.number("SELECT count(*) FROM pages WHERE settings IS NULL"), 42);
  db.exec(
      "INSERT INTO pages (id, settings) VALUES (1002, '{\"a\": [2]}'); UPDATE pages SET settings = NULL "
      "WHERE id = 2");
  expect("rollback", 0);
  expect_schema(schema);
  EXPECT_EQ(db.text("SELECT settings FROM pages WHERE id = 1002"), "{\"a\": [2]}");
  EXPECT_EQ(db.text("SELECT settings FROM pages WHERE id = 2"), kNull);
  EXPECT_EQ(db.text("SELECT settings FROM pages WHERE id = 1001"), "[1]");
}

TEST_F(OneColumn, ARowThatCannotBeConvertedIsNamedAndNothingIsCutOver) {
  trial_.db().exec(
      "CREATE TABLE pages (id bigint PRIMARY KEY, settings text);"
      "INSERT INTO pages SELECT n, CASE WHEN n = 77 THEN '{broken' ELSE '{}' END FROM generate_series(1, "
      "300) n");
  const auto schema = schema_of(trial_);
  job("table = \"pages\"\ncolumn = \"settings\"\nto = \"jsonb\"\nusing = \"settings::jsonb\"\nback = "
      "\"settings::text\"\n");
  EXPECT_THAT(refusal_of(expect("run", 5)).message, HasSubstr("(77)"));
  expect_schema(schema);
  // Where the fill may set it aside it does, and goes no further.
  trial_.job(
      "name = \"change-some\"\nmax_quarantined = 1\n\n[[step]]\nkind = \"retype\"\nname = \"type\"\ntable = "
      "\"pages\"\ncolumn = \"settings\"\nto = \"jsonb\"\nusing = \"settings::jsonb\"\nback = "
      "\"settings::text\"\n");
  EXPECT_THAT(refusal_of(expect("run", 1)).message, HasSubstr("(77)"));
  expect("cutover", 5);
  expect("rollback", 0);
  expect_schema(schema);
}

TEST_F(OneColumn, NumericScaleChangesInPlaceOfTheColumn) {
  auto& db = trial_.db();
  db.exec(
      "CREATE TABLE orders (id bigint PRIMARY KEY, price integer NOT NULL DEFAULT 100 CHECK (price >= 0));"
      "INSERT INTO orders SELECT n, n * 10 FROM generate_series(1, 200) n");
  const auto schema = schema_of(trial_);
  job("table = \"orders\"\ncolumn = \"price\"\nto = \"numeric(12,2)\"\nusing = \"price / 100.0\"\nback = "
      "\"(price * "
      "100)::integer\"\n");
  expect("run", 9);
  expect("cutover", 0);
  EXPECT_EQ(type_of("orders", "price"), "numeric(12,2)");
  EXPECT_EQ(db.text("SELECT price FROM orders WHERE id = 123"), "12.30");
  EXPECT_EQ(db.text("INSERT INTO orders (id) VALUES (1000) RETURNING price"), "1.00");
  EXPECT_ANY_THROW(db.exec("UPDATE orders SET price = -1 WHERE id = 1"));
  db.exec("UPDATE orders SET price = 9.99 WHERE id = 1");
  expect("rollback", 0);
  EXPECT_EQ(type_of("orders", "price"), "integer");
  EXPECT_EQ(db.text("SELECT price FROM orders WHERE id = 1"), "999");
  EXPECT_EQ(db.text("INSERT INTO orders (id) VALUES (1001) RETURNING price"), "100");
  // The CHECK is back too, though the server words it for the type that it had meanwhile.
  EXPECT_ANY_THROW(db.exec("UPDATE orders SET price = -1 WHERE id = 1"));
  EXPECT_THAT(without(without_checks(schema_of(trial_)), without_checks(schema)), IsEmpty());
}

}  // namespace
}  // namespace pgsluice::test
