// Goal: the plan says for every statement which table it touches and which lock it takes, as the server does.
// Method: a table of statements with the locks that a PostgreSQL 15 showed in pg_locks for each of them.
#include "job/sql/statement.hpp"

#include <gtest/gtest.h>

#include "job/sql/table_name.hpp"
#include "unit/job/parsing.hpp"

namespace pgsluice::job {
namespace {

/// "KIND: table LOCK, other LOCK"
std::string facts_text(const char* sql) {
  const auto checked = analyse_statement(sql);
  if (const auto* refusal = std::get_if<Refusal>(&checked)) return refusal->message;
  const auto& facts = std::get<StatementFacts>(checked);
  std::string text = facts.kind + ":";
  if (facts.table) text += " " + written(*facts.table);
  if (!facts.lock.empty()) text += " " + facts.lock;
  for (const TableLock& other : facts.other_locks) text += ", " + written(other.table) + " " + other.lock;
  return text;
}

struct Case {
  const char* sql;
  const char* facts;
};

void expect_all(const std::vector<Case>& cases) {
  for (const Case& each : cases) EXPECT_EQ(facts_text(each.sql), each.facts) << each.sql;
}

TEST(StatementLocks, OfAlterTableDependOnTheSubcommand) {
  expect_all({
      {"ALTER TABLE a ADD COLUMN x int", "ALTER TABLE: a ACCESS EXCLUSIVE"},
      {"ALTER TABLE IF EXISTS s.\"A\" DROP COLUMN v", "ALTER TABLE: s.\"A\" ACCESS EXCLUSIVE"},
      {"ALTER TABLE a ALTER v TYPE bigint", "ALTER TABLE: a ACCESS EXCLUSIVE"},
      {"ALTER TABLE a ALTER v SET DEFAULT 1", "ALTER TABLE: a ACCESS EXCLUSIVE"},
      {"ALTER TABLE a ALTER v SET NOT NULL", "ALTER TABLE: a ACCESS EXCLUSIVE"},
      {"ALTER TABLE a ALTER v SET STATISTICS 100", "ALTER TABLE: a SHARE UPDATE EXCLUSIVE"},
      {"ALTER TABLE a ALTER v SET (n_distinct = 5)", "ALTER TABLE: a SHARE UPDATE EXCLUSIVE"},
      {"ALTER TABLE a ALTER t SET STORAGE plain", "ALTER TABLE: a ACCESS EXCLUSIVE"},
      {"ALTER TABLE a ADD CONSTRAINT c CHECK (v > 0) NOT VALID", "ALTER TABLE: a ACCESS EXCLUSIVE"},
      {"ALTER TABLE a ADD CONSTRAINT c UNIQUE USING INDEX i", "ALTER TABLE: a ACCESS EXCLUSIVE"},
      {"ALTER TABLE a VALIDATE CONSTRAINT c", "ALTER TABLE: a SHARE UPDATE EXCLUSIVE"},
      {"ALTER TABLE a DROP CONSTRAINT c", "ALTER TABLE: a ACCESS EXCLUSIVE"},
      {"ALTER TABLE a SET (fillfactor = 70)", "ALTER TABLE: a SHARE UPDATE EXCLUSIVE"},
      {"ALTER TABLE a SET (fillfactor = 70, user_catalog_table = true)", "ALTER TABLE: a ACCESS EXCLUSIVE"},
      {"ALTER INDEX i SET (fastupdate = off)", "ALTER INDEX: i ACCESS EXCLUSIVE"},
      {"ALTER TABLE a ENABLE TRIGGER tr", "ALTER TABLE: a SHARE ROW EXCLUSIVE"},
      {"ALTER TABLE a DISABLE TRIGGER USER", "ALTER TABLE: a SHARE ROW EXCLUSIVE"},
      {"ALTER TABLE a ENABLE ROW LEVEL SECURITY", "ALTER TABLE: a ACCESS EXCLUSIVE"},
      {"ALTER TABLE a SET STATISTICS 5", "is not valid SQL: syntax error at or near \"STATISTICS\""},
  });
}

TEST(StatementLocks, OfSeveralSubcommandsAreTheStrongest) {
  expect_all({
      {"ALTER TABLE a VALIDATE CONSTRAINT c, ENABLE TRIGGER t", "ALTER TABLE: a SHARE ROW EXCLUSIVE"},
      {"ALTER TABLE a ADD x int, SET (fillfactor = 70)", "ALTER TABLE: a ACCESS EXCLUSIVE"},
  });
}

TEST(StatementLocks, OfAForeignKeyReachTheOtherTable) {
  expect_all({
      {"ALTER TABLE a ADD CONSTRAINT c FOREIGN KEY (v) REFERENCES s.b (id) NOT VALID",
       "ALTER TABLE: a SHARE ROW EXCLUSIVE, s.b SHARE ROW EXCLUSIVE"},
      {"ALTER TABLE a ADD COLUMN x int REFERENCES b",
       "ALTER TABLE: a ACCESS EXCLUSIVE, b SHARE ROW EXCLUSIVE"},
      {"ALTER TABLE a ADD CONSTRAINT c FOREIGN KEY (v) REFERENCES a (id)",
       "ALTER TABLE: a SHARE ROW EXCLUSIVE"},
      {"CREATE TABLE n (id int REFERENCES b)", "CREATE TABLE:, b SHARE ROW EXCLUSIVE"},
      {"CREATE TABLE n (id int, FOREIGN KEY (id) REFERENCES b)", "CREATE TABLE:, b SHARE ROW EXCLUSIVE"},
  });
}

TEST(StatementLocks, OfPartitionsAndParents) {
  expect_all({
      {"ALTER TABLE p ATTACH PARTITION q FOR VALUES IN (1)",
       "ALTER TABLE: p SHARE UPDATE EXCLUSIVE, q ACCESS EXCLUSIVE"},
      {"ALTER TABLE p DETACH PARTITION q", "ALTER TABLE: p ACCESS EXCLUSIVE, q ACCESS EXCLUSIVE"},
      {"CREATE TABLE q PARTITION OF p FOR VALUES IN (3)", "CREATE TABLE:, p ACCESS EXCLUSIVE"},
      {"CREATE TABLE n () INHERITS (p)", "CREATE TABLE:, p SHARE UPDATE EXCLUSIVE"},
      {"ALTER TABLE a INHERIT p", "ALTER TABLE: a ACCESS EXCLUSIVE, p SHARE UPDATE EXCLUSIVE"},
      {"CREATE TABLE n (LIKE a)", "CREATE TABLE:, a ACCESS SHARE"},
  });
}

TEST(StatementLocks, OfIndexes) {
  expect_all({
      {"CREATE INDEX i ON s.a (v)", "CREATE INDEX: s.a SHARE"},
      {"CREATE INDEX CONCURRENTLY i ON a (v)", "CREATE INDEX: a SHARE UPDATE EXCLUSIVE"},
      {"DROP INDEX s.i", "DROP INDEX: ACCESS EXCLUSIVE"},
      {"DROP INDEX CONCURRENTLY i", "DROP INDEX: SHARE UPDATE EXCLUSIVE"},
      {"ALTER INDEX i RENAME TO j", "ALTER INDEX: i SHARE UPDATE EXCLUSIVE"},
      {"REINDEX TABLE a", "REINDEX: a SHARE"},
      {"REINDEX INDEX i", "REINDEX: i ACCESS EXCLUSIVE"},
  });
}

TEST(StatementLocks, OfWhatBelongsToATable) {
  expect_all({
      {"CREATE TRIGGER t BEFORE UPDATE ON a FOR EACH ROW EXECUTE FUNCTION f()",
       "CREATE TRIGGER: a SHARE ROW EXCLUSIVE"},
      {"DROP TRIGGER t ON s.a", "DROP TRIGGER: s.a ACCESS EXCLUSIVE"},
      {"ALTER TRIGGER t ON a RENAME TO u", "ALTER TRIGGER: a ACCESS EXCLUSIVE"},
      {"CREATE POLICY p ON a USING (true)", "CREATE POLICY: a ACCESS EXCLUSIVE"},
      {"CREATE RULE r AS ON UPDATE TO a DO ALSO NOTHING", "CREATE RULE: a ACCESS EXCLUSIVE"},
      {"CREATE STATISTICS x ON b, c FROM a", "CREATE STATISTICS: a SHARE UPDATE EXCLUSIVE"},
      {"COMMENT ON COLUMN s.a.v IS 'x'", "COMMENT: s.a SHARE UPDATE EXCLUSIVE"},
      {"COMMENT ON TABLE a IS 'x'", "COMMENT: a SHARE UPDATE EXCLUSIVE"},
      {"COMMENT ON CONSTRAINT c ON a IS 'x'", "COMMENT: a ACCESS SHARE"},
      {"ALTER TABLE a RENAME COLUMN v TO w", "ALTER TABLE: a ACCESS EXCLUSIVE"},
      {"ALTER TABLE a RENAME CONSTRAINT c TO d", "ALTER TABLE: a ACCESS EXCLUSIVE"},
      {"ALTER TABLE a SET SCHEMA s", "ALTER TABLE: a ACCESS EXCLUSIVE"},
  });
}

TEST(StatementLocks, OfWholeTables) {
  expect_all({
      {"DROP TABLE IF EXISTS s.a, b", "DROP TABLE: s.a ACCESS EXCLUSIVE, b ACCESS EXCLUSIVE"},
      {"TRUNCATE a, b", "TRUNCATE: a ACCESS EXCLUSIVE, b ACCESS EXCLUSIVE"},
      {"INSERT INTO a SELECT 1", "INSERT: a ROW EXCLUSIVE"},
      {"UPDATE a SET v = 1", "UPDATE: a ROW EXCLUSIVE"},
      {"DELETE FROM a", "DELETE: a ROW EXCLUSIVE"},
      {"SELECT 1 FROM a FOR UPDATE", "SELECT: a ROW SHARE"},
      {"SELECT count(*) FROM a, b", "SELECT: a ACCESS SHARE, b ACCESS SHARE"},
      {"LOCK TABLE a IN SHARE MODE", "LOCK: a SHARE"},
      {"ANALYZE a", "ANALYZE: a SHARE UPDATE EXCLUSIVE"},
      {"CREATE OR REPLACE VIEW v AS SELECT 1", "CREATE OR REPLACE VIEW: v ACCESS EXCLUSIVE"},
      {"REFRESH MATERIALIZED VIEW m", "REFRESH MATERIALIZED VIEW: m ACCESS EXCLUSIVE"},
      {"REFRESH MATERIALIZED VIEW CONCURRENTLY m", "REFRESH MATERIALIZED VIEW: m EXCLUSIVE"},
      {"ALTER SEQUENCE q OWNED BY a.v", "ALTER SEQUENCE: q SHARE ROW EXCLUSIVE"},
  });
}

TEST(StatementLocks, AreNoneWhereNoExistingTableIsTouched) {
  expect_all({
      {"CREATE TABLE n (id int)", "CREATE TABLE:"},
      {"CREATE TABLE n AS SELECT 1", "CREATE TABLE AS:"},
      {"CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'select 1'", "CREATE FUNCTION:"},
      {"CREATE TYPE t AS ENUM ('a')", "CREATE TYPE:"},
      {"CREATE SCHEMA s", "CREATE SCHEMA:"},
      {"CREATE EXTENSION x", "CREATE EXTENSION:"},
      {"GRANT SELECT ON a TO b", "GRANT:"},
      {"DROP FUNCTION f()", "DROP FUNCTION:"},
      {"DO $$ begin end $$", "DO:"},
  });
}

StatementFacts facts_of(const char* sql) {
  return std::get<StatementFacts>(analyse_statement(sql));
}

TEST(StatementFacts, NameTheColumnsThatComeAndGo) {
  const auto facts =
      facts_of("ALTER TABLE a ADD COLUMN IF NOT EXISTS x int, ADD \"Y\" text, DROP COLUMN IF EXISTS z");
  EXPECT_EQ(facts.columns_added, (std::vector<std::string>{"x", "Y"}));
  EXPECT_EQ(facts.columns_dropped, (std::vector<std::string>{"z"}));
}

TEST(StatementFacts, NameWhatIsDroppedBecauseForeignKeysMayGoWithIt) {
  const auto altered = facts_of("ALTER TABLE t DROP CONSTRAINT k, DROP COLUMN c");
  EXPECT_EQ(altered.constraints_dropped, (std::vector<std::string>{"k"}));
  EXPECT_EQ(altered.columns_dropped, (std::vector<std::string>{"c"}));
  EXPECT_FALSE(altered.is_table_dropped);
  EXPECT_TRUE(facts_of("DROP TABLE t").is_table_dropped);
  EXPECT_FALSE(facts_of("DROP VIEW v").is_table_dropped);
}

TEST(StatementFacts, NameTheIndex) {
  const auto made = facts_of("CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS \"I\" ON s.a (v)");
  EXPECT_EQ(made.index_name, "I");
  EXPECT_TRUE(made.unique);
  EXPECT_TRUE(made.concurrent);
  EXPECT_FALSE(made.transactional);
  const auto dropped = facts_of("DROP INDEX IF EXISTS s.i");
  EXPECT_EQ(dropped.index_name, "i");
  EXPECT_EQ(dropped.index_schema, "s");
  EXPECT_TRUE(dropped.transactional);
}

TEST(StatementFacts, KnowWhatCannotRunInATransaction) {
  for (const char* sql :
       {"VACUUM a", "CREATE DATABASE d", "DROP DATABASE d", "ALTER SYSTEM SET work_mem = 1", "CLUSTER",
        "REINDEX TABLE CONCURRENTLY a", "REINDEX DATABASE d", "DISCARD ALL", "COMMIT",
        "ALTER TABLE p DETACH PARTITION q CONCURRENTLY", "DROP INDEX CONCURRENTLY i",
        "CREATE TABLESPACE t LOCATION '/x'", "ALTER DATABASE d SET TABLESPACE t"}) {
    EXPECT_FALSE(facts_of(sql).transactional) << sql;
  }
  for (const char* sql :
       {"ANALYZE a", "CLUSTER a USING i", "REINDEX TABLE a", "REFRESH MATERIALIZED VIEW CONCURRENTLY m",
        "ALTER TYPE e ADD VALUE 'x'", "DISCARD TEMP", "ALTER TABLE p DETACH PARTITION q"}) {
    EXPECT_TRUE(facts_of(sql).transactional) << sql;
  }
}

TEST(StatementFacts, AreOfExactlyOneStatement) {
  EXPECT_EQ(refusal_of(analyse_statement("SELECT 1; SELECT 2")), "must be one statement, but contains 2");
  EXPECT_EQ(refusal_of(analyse_statement("-- nothing")), "must be one statement, but contains 0");
}

}  // namespace
}  // namespace pgsluice::job
