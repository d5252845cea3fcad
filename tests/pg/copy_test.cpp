// Goal: what a copy finds at the source is at the target, to the last digit, of every type and shape of
// table, and what would keep it from that is told before anything is written. Method: the real program
// between two databases, whose rows are compared as text.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <sstream>

#include "pg/copy_trial.hpp"
#include "support/environment.hpp"

namespace pgsluice::test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* kTypes = R"sql(
CREATE TYPE mood AS ENUM ('glad', 'so, so', 'sad');
CREATE TYPE pair AS (a int, b text);
CREATE DOMAIN positive AS int CHECK (value > 0);
CREATE DOMAIN words AS text[];
CREATE TABLE all_types (
  id bigint PRIMARY KEY, small smallint, whole int, big bigint, exact numeric, fixed numeric(20, 4), single real,
  twice double precision, cash money, flag boolean, note text, short varchar(20), padded char(5), letter "char",
  raw bytea, day date, hour time, zoned timetz, at timestamp, moment timestamptz, span interval, doc json,
  docb jsonb, markup xml, ident uuid, address inet, net cidr, mac macaddr, bits bit(5), some_bits varbit(9),
  place point, shape polygon, words tsvector, ask tsquery, numbers int[], grid text[][], exacts numeric[],
  spans int4range, times tstzrange, many int4multirange, feeling mood, feelings mood[], two pair, twos pair[],
  bounded positive, listed words, lsn pg_lsn, who name);
)sql";

constexpr const char* kAwkward = R"sql(
INSERT INTO all_types (id, small, whole, big, exact, fixed, single, twice, cash, flag, note, short, padded, letter)
SELECT g, (g % 65536 - 32768)::smallint, -g, g * 1000000007::bigint,
       CASE g % 6 WHEN 0 THEN 1.0 WHEN 1 THEN 1.00 WHEN 2 THEN 'NaN' WHEN 3 THEN 'Infinity' WHEN 4 THEN -g / 7.0
                  ELSE 12345678901234567890.12345678901234567890 END,
       g / 3.0, CASE g % 5 WHEN 0 THEN 'NaN' WHEN 1 THEN '-Infinity' WHEN 2 THEN '-0' ELSE (g / 10.0)::real END,
       CASE g % 5 WHEN 0 THEN 'NaN' WHEN 1 THEN 'Infinity' WHEN 2 THEN '-0' ELSE g / 7.0::float8 END,
       (g * 1.01)::numeric::money, g % 2 = 0,
       CASE g % 8 WHEN 0 THEN '' WHEN 1 THEN '\N' WHEN 2 THEN E'a\tb\nc\rd\\e' WHEN 3 THEN NULL WHEN 4 THEN '\.'
                  WHEN 5 THEN 'grün ☃ 𝄞' WHEN 6 THEN E'\b\f\v' ELSE repeat('x', 3000) END,
       'n' || g, CASE WHEN g % 2 = 0 THEN 'a ' ELSE ' b' END, '\'
FROM generate_series(1, 700) g;
UPDATE all_types SET
  raw = decode(md5(id::text), 'hex') || '\x00ff5c', hour = '23:59:59.999999', zoned = '12:00:00.5-15:59',
  day = CASE id % 4 WHEN 0 THEN '0044-03-15 BC' WHEN 1 THEN 'infinity' WHEN 2 THEN '-infinity' ELSE '1999-12-31' END::date,
  at = CASE id % 3 WHEN 0 THEN '0001-01-01 00:00:00 BC' WHEN 1 THEN 'infinity' ELSE '2024-02-29 01:02:03.000004' END::timestamp,
  moment = CASE id % 3 WHEN 0 THEN '4713-01-01 00:00:00+00 BC' WHEN 1 THEN '-infinity'
                       ELSE '2024-03-31 02:30:00+02' END::timestamptz,
  span = CASE id % 3 WHEN 0 THEN '-1 year 2 months -3 days 04:05:06.000007' WHEN 1 THEN '178000000 years'
                     ELSE '-00:00:00.1' END::interval,
  doc = '{"b" :1, "a":1.0, "b": 2}', docb = '{"b": 1.0, "a": [null, 1.00, "\u2603"]}', markup = '<a b="c">d</a>',
  ident = md5(id::text)::uuid, address = '10.0.0.1/8', net = '2001:db8::/32', mac = '08:00:2b:01:02:03',
  bits = B'10101', some_bits = B'101', place = '(1.1,-0)', shape = '((0,0),(1,1),(1.5,0))',
  words = 'it''s ''a b'':1A,2', ask = 'a & !b';
UPDATE all_types SET
  numbers = CASE id % 3 WHEN 0 THEN '{}' WHEN 1 THEN '[0:1]={1,NULL}' ELSE '{1,2}' END::int[],
  grid = '{{"a,b","\"q\\"},{NULL,"NULL"}}', exacts = '{1.0,1.00,NaN}',
  spans = CASE id % 3 WHEN 0 THEN 'empty' WHEN 1 THEN '[1,5)' ELSE '(,)' END::int4range,
  times = '["2024-01-01 00:00:00+00",infinity]', many = '{[1,3),[5,9)}',
  feeling = (ARRAY['glad', 'so, so', 'sad'])[id % 3 + 1]::mood, feelings = '{glad,"so, so"}', two = ROW(1, 'a"b,\')::pair,
  twos = ARRAY[ROW(1, NULL), ROW(NULL, '')]::pair[], bounded = id::int, listed = '{a,"b c"}', lsn = '16/B374D848',
  who = 'name';
)sql";

class CopyTest : public testing::Test {
 protected:
  Db& source() { return copy_.source(); }
  Db& target() { return copy_.target(); }

  /// One table of 2,000 rows on both sides, empty at the target.
  void make_plain(const std::string& key = "id int PRIMARY KEY") {
    copy_.both("CREATE TABLE t (" + key + ", n int NOT NULL, note text)");
    source().exec("INSERT INTO t SELECT g, g % 7, 'row ' || g FROM generate_series(1, 2000) g; ANALYZE t");
  }

  Refusal refused(int code) {
    const auto done = copy_.trial().run();
    EXPECT_EQ(done.code(), code) << done.out << done.err;
    EXPECT_TRUE(copy_.trial().is_untouched() || target().number("SELECT count(*) FROM pgsluice.range") == 0);
    return refusal_of(done);
  }

  CopyTrial copy_;
};

TEST_F(CopyTest, KeepsEveryTypeToTheLastDigit) {
  copy_.both(kTypes);
  source().exec(kAwkward);
  source().exec("ALTER DATABASE " + source().text("SELECT current_database()") +
                " SET datestyle = 'German, DMY'; ALTER DATABASE " +
                source().text("SELECT current_database()") +
                " SET timezone = 'America/St_Johns'; ALTER DATABASE " +
                source().text("SELECT current_database()") + " SET bytea_output = 'escape'; ALTER DATABASE " +
                source().text("SELECT current_database()") + " SET extra_float_digits = -3; ALTER DATABASE " +
                source().text("SELECT current_database()") + " SET intervalstyle = 'sql_standard'");
  copy_.job("all_types");
  copy_.expect("run", 0);
  copy_.expect_same("TABLE all_types");
  EXPECT_EQ(target().number("SELECT count(*) FROM all_types"), 700);
}

TEST_F(CopyTest, MatchesColumnsByNameAndTakesExpressions) {
  source().exec(
      "CREATE TABLE t (legacy_user_id int, id int PRIMARY KEY, note text, gone text);"
      "INSERT INTO t SELECT g * 10, g, 'row ' || g FROM generate_series(1, 500) g");
  target().exec(
      "CREATE TABLE t (id bigint PRIMARY KEY, user_id text NOT NULL, source text, made timestamptz NOT NULL "
      "DEFAULT now(), note varchar(20), twice bigint GENERATED ALWAYS AS (id * 2) STORED)");
  copy_.job("t", ", where = \"id > 100 -- the old ones\"",
            "columns = { user_id = \"legacy_user_id\", source = \"'service' || note -- why not\" }");
  const auto plan = copy_.trial().verb("plan");
  EXPECT_THAT(plan.out, HasSubstr("not copied, the target has no such column: \\\"gone\\\""));
  copy_.expect("run", 0);
  copy_.expect_same(
      "SELECT id::bigint, (legacy_user_id)::text, 'service' || note, note, id * 2 FROM t WHERE id > 100",
      "SELECT id, user_id, source, note, twice FROM t");
}

TEST_F(CopyTest, WalksEveryKeyThatOrders) {
  const std::vector<std::string> keys{
      "id uuid PRIMARY KEY", "id text PRIMARY KEY", "id timestamptz PRIMARY KEY",
      "a text, id int, \"odd$1\" int DEFAULT 7, PRIMARY KEY (a, id, \"odd$1\")"};
  const std::vector<std::string> values{"md5(g::text)::uuid, g", "E'k\\\\\\t''' || g, g",
                                        "timestamptz '0003-01-01 BC' + g * interval '1 day', g",
                                        "(g % 3)::text, g, 7, g"};
  for (std::size_t i = 0; i < keys.size(); ++i) {
    SCOPED_TRACE(keys[i]);
    copy_.both("DROP TABLE IF EXISTS t; DROP SCHEMA IF EXISTS pgsluice CASCADE; CREATE TABLE t (" + keys[i] +
               ", n int)");
    source().exec("INSERT INTO t SELECT " + values[i] + " FROM generate_series(1, 700) g; ANALYZE t");
    copy_.job("t");
    copy_.expect("run", 0);
    copy_.expect_same("TABLE t");
  }
}

TEST_F(CopyTest, GoesFromPartitionsIntoAPlainTableAndBack) {
  const std::string parts =
      " PARTITION BY RANGE (id); CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (500);"
      "CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (500) TO (9000)";
  for (const bool is_source : {true, false}) {
    copy_.both("DROP TABLE IF EXISTS t; DROP SCHEMA IF EXISTS pgsluice CASCADE");
    source().exec("CREATE TABLE t (id int PRIMARY KEY, n text)" + (is_source ? parts : std::string()));
    target().exec("CREATE TABLE t (id int PRIMARY KEY, n text)" + (is_source ? std::string() : parts));
    source().exec("INSERT INTO t SELECT g, g::text FROM generate_series(1, 1500) g; ANALYZE t");
    copy_.job("t");
    copy_.expect("run", 0);
    copy_.expect_same("SELECT id, n FROM t");
  }
}

TEST_F(CopyTest, CopiesBetweenEncodings) {
  const auto latin = copy_.trial().database() + "_latin";
  target().exec("CREATE DATABASE " + latin +
                " TEMPLATE template0 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C'");
  auto& server = copy_.trial().server();
  copy_.read_from(server.dsn(latin));
  auto db = server.connect(latin);
  db.exec("SET client_encoding = 'UTF8'; CREATE TABLE t (id text PRIMARY KEY, n text)");
  db.exec("INSERT INTO t SELECT 'ä' || g, 'grün ' || g FROM generate_series(1, 700) g");
  target().exec("CREATE TABLE t (id text PRIMARY KEY, n text)");
  copy_.job("t");
  copy_.expect("run", 0);
  EXPECT_EQ(target().number("SELECT count(*) FROM t WHERE id ~ '^ä[0-9]+$' AND n = 'grün ' || substr(id, 2)"),
            700);
}

TEST_F(CopyTest, LetsSequencesGoOnBehindWhatWasCopied) {
  copy_.both(
      "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, old serial, shared int, note text);"
      "CREATE SEQUENCE shared_numbers; ALTER TABLE t ALTER shared SET DEFAULT nextval('shared_numbers')");
  source().exec("INSERT INTO t (old, shared) SELECT g * 2, g * 3 FROM generate_series(1, 300) g");
  target().exec("SELECT setval('shared_numbers', 5000)");
  copy_.job("t");
  copy_.expect("run", 0);
  copy_.expect_same("TABLE t");
  target().exec("INSERT INTO t (note) VALUES ('next')");
  EXPECT_EQ(target().rows("SELECT id, old, shared FROM t WHERE note = 'next'"),
            (std::vector<std::vector<std::string>>{{"301", "601", "5001"}}));
}

TEST_F(CopyTest, CopiesWithinOneDatabase) {
  target().exec(
      "CREATE TABLE t (id int PRIMARY KEY, n int); CREATE TABLE u (id int PRIMARY KEY, n int);"
      "INSERT INTO t SELECT g, g FROM generate_series(1, 3000) g; ANALYZE t");
  copy_.trial().job(
      "name = \"copied\"\n[batch]\nrows = 50\n[[step]]\nkind = \"copy\"\nname = \"copy\"\nfrom = { table = "
      "\"t\" "
      "}\nto = \"u\"");
  copy_.expect("check", 0);
  copy_.expect("run", 0);
  EXPECT_EQ(target().number("SELECT count(*) FROM t JOIN u USING (id, n)"), 3000);
  EXPECT_EQ(target().number("SELECT count(*) FROM u"), 3000);
}

TEST_F(CopyTest, NamesARowThatTheTargetHasAlready) {
  make_plain();
  target().exec("INSERT INTO t VALUES (777, 0, 'mine')");
  copy_.job("t");
  const auto done = copy_.trial().run();
  EXPECT_EQ(done.code(), 1);
  EXPECT_THAT(refusal_of(done).message, HasSubstr("row 777 of table"));
  EXPECT_THAT(refusal_of(done).message, HasSubstr("duplicate key"));
}

TEST_F(CopyTest, SetsFaultyRowsAsideOnEitherSide) {
  make_plain();
  target().exec("ALTER TABLE t ADD CHECK (id <> 300)");
  copy_.job("t", "", "columns = { n = \"CASE WHEN id = 900 THEN 1 / (n - n) ELSE n END\" }",
            std::string("max_quarantined = 5\n") + CopyTrial::kSmallBatches);
  copy_.expect("run", 3);
  copy_.expect_same("SELECT * FROM t WHERE id NOT IN (300, 900)", "TABLE t");
  const auto failures = copy_.trial().verb("failures");
  EXPECT_THAT(failures.out, HasSubstr("division by zero"));
  EXPECT_THAT(failures.out, HasSubstr("violates check constraint"));
}

TEST_F(CopyTest, EndsALargeBatchEarlier) {
  copy_.both("CREATE TABLE t (id int PRIMARY KEY, note text)");
  source().exec(
      "INSERT INTO t SELECT g, repeat('x', CASE WHEN g BETWEEN 100 AND 115 THEN 3000000 ELSE 10 END) FROM "
      "generate_series(1, 400) g; ANALYZE t");
  copy_.job("t", "", "", "[batch]\nrows = 300\nrows_max = 300");
  copy_.expect("run", 0);
  EXPECT_EQ(source().text("SELECT md5(string_agg(md5(note), '' ORDER BY id)) FROM t"),
            target().text("SELECT md5(string_agg(md5(note), '' ORDER BY id)) FROM t"));
}

TEST_F(CopyTest, RefusesBeforehandWhatCannotWork) {
  source().exec("CREATE TABLE t (id int PRIMARY KEY, n text); INSERT INTO t VALUES (1, 'no number')");
  target().exec("CREATE TABLE t (id int PRIMARY KEY, n text, must int NOT NULL)");
  copy_.job("t");
  EXPECT_THAT(refused(5).message, HasSubstr("column \"must\" of table t is NOT NULL without a default"));
  target().exec("ALTER TABLE t DROP must, ALTER n TYPE int USING 0");
  EXPECT_THAT(refused(5).message, HasSubstr("invalid input syntax for type integer: \"no number\""));
  copy_.job("t", "", "columns = { nowhere = \"1\" }");
  EXPECT_THAT(refused(5).message, HasSubstr("has no column \"nowhere\""));
  copy_.job("t", "", "columns = { n = \"missing + 1\" }");
  EXPECT_THAT(refused(5).message, HasSubstr("\"missing\" does not exist"));
  source().exec("ALTER TABLE t DROP CONSTRAINT t_pkey");
  copy_.job("t");
  EXPECT_THAT(refused(5).message, HasSubstr("has no key to walk"));
  source().exec("DROP TABLE t");
  EXPECT_THAT(refused(5).message, HasSubstr("table \"t\" does not exist"));
}

/// Without what differs from batch to batch: numbers, key values, line breaks.
std::string shape_of(std::string sql) {
  sql = std::regex_replace(sql, std::regex("'[0-9]+'::|\\$[0-9]+::"), "key::");
  sql = std::regex_replace(sql, std::regex("[0-9]+"), "0");
  sql = std::regex_replace(sql, std::regex("[\\s]+"), " ");
  return std::regex_replace(sql, std::regex("^ | $"), "");
}

/// Statements of the server's log, each on one line.
std::vector<std::string> logged_statements(const std::string& log) {
  std::vector<std::string> out;
  std::istringstream lines(log);
  bool is_statement = false;
  for (std::string line; std::getline(lines, line);) {
    const bool is_continued = line.starts_with("\t");
    if (is_continued && is_statement) out.back() += "\n" + line;
    if (is_continued) continue;
    is_statement = false;
    for (const std::string word : {"statement: ", "execute <unnamed>: "}) {
      const auto at = line.find(word);
      if (is_statement || at == std::string::npos) continue;
      is_statement = true;
      out.push_back(line.substr(at + word.size()));
    }
  }
  return out;
}

std::set<std::string> planned_shapes(CopyTrial& copy) {
  const auto plan = copy.trial().verb("plan");
  EXPECT_EQ(plan.code(), 0) << plan.err;
  std::set<std::string> shapes;
  const auto told = Json::parse(plan.out);
  for (const auto& statement : told.at("steps").at(0).at("statements"))
    shapes.insert(shape_of(statement.at("sql").get<std::string>()));
  return shapes;
}

TEST(CopyPlan, ListsWhatTheRunSends) {
  PrivateServer server({.settings = {{"log_statement", "all"}}});
  for (const std::string rest : {"", "on_conflict = \"skip\""}) {
    SCOPED_TRACE(rest);
    CopyTrial copy(server, server);
    copy.both("CREATE TABLE t (id serial PRIMARY KEY, n int)");
    copy.source().exec("INSERT INTO t SELECT g, g FROM generate_series(1, 9000) g; ANALYZE t");
    if (!rest.empty()) copy.target().exec("INSERT INTO t SELECT g, -g FROM generate_series(4000, 4100) g");
    copy.job("t", "", rest, "[batch]\nrows = 1500");
    const auto planned = planned_shapes(copy);
    const auto before = server.log_text().size();
    copy.expect("run", 0);
    std::set<std::string> sent;
    for (const auto& statement : logged_statements(server.log_text().substr(before)))
      sent.insert(shape_of(statement));
    for (const auto& shape : sent) {
      const bool is_ours =
          shape.find("\"public\".\"t\"") != std::string::npos || shape.find("pg_temp.") != std::string::npos;
      EXPECT_TRUE(!is_ours || planned.contains(shape)) << shape;
    }
    for (const auto& shape : planned)
      EXPECT_TRUE(!shape.starts_with("COPY") || sent.contains(shape)) << shape;
  }
}

TEST_F(CopyTest, TellsNobodyThePassword) {
  make_plain();
  copy_.read_from("host=127.0.0.1 port=1 dbname=gone user=me password=quite-secret");
  copy_.job("t");
  for (const std::string verb : {"plan", "check", "run"}) {
    const auto done = copy_.trial().verb(verb);
    EXPECT_THAT(done.out + done.err, Not(HasSubstr("quite-secret"))) << verb;
    EXPECT_THAT(done.out + done.err, HasSubstr("database \\\"gone\\\" on 127.0.0.1:1 as me")) << verb;
  }
}

TEST_F(CopyTest, CountsRowsThatATriggerLeavesOut) {
  make_plain();
  target().exec(
      "CREATE FUNCTION leave_out() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.id % 100 = 0 THEN "
      "RETURN "
      "NULL; END IF; RETURN NEW; END $$; CREATE TRIGGER leave_out BEFORE INSERT ON t FOR EACH ROW EXECUTE "
      "FUNCTION "
      "leave_out()");
  copy_.job("t");
  EXPECT_THAT(copy_.trial().verb("check").out, HasSubstr("leave_out"));
  copy_.expect("run", 4);
  EXPECT_EQ(target().number("SELECT count(*) FROM t"), 1980);
}

TEST_F(CopyTest, GoesBackWithTheTableThatItsJobMade) {
  source().exec("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 300)");
  copy_.trial().job(
      "name = \"copied\"\n[[step]]\nkind = \"sql\"\nname = \"make\"\nup = \"CREATE TABLE u (id int PRIMARY "
      "KEY)\"\ndown = \"DROP TABLE u\"\n[[step]]\nkind = \"copy\"\nname = \"copy\"\nfrom = { dsn = \"" +
      copy_.source_dsn() + "\", table = \"t\" }\nto = \"u\"\n");
  copy_.expect("plan", 0);
  copy_.expect("check", 0);
  copy_.expect("run", 0);
  copy_.expect_same("TABLE t", "TABLE u");
  copy_.expect("rollback", 0);
  EXPECT_TRUE(target().yes("SELECT to_regclass('u') IS NULL"));
}

TEST_F(CopyTest, SaysThatItCannotBeTakenBack) {
  make_plain();
  copy_.job("t");
  copy_.expect("run", 0);
  const auto back = copy_.trial().verb("rollback");
  EXPECT_NE(back.code(), 0);
  EXPECT_THAT(refusal_of(back).message, HasSubstr("the ledger does not know which ones they are"));
}

}  // namespace
}  // namespace pgsluice::test
