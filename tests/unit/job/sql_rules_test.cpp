// Goal: what a step of each kind may hold, it may hold; anything else is refused with the way out.
// Method: tables of texts.
#include "job/sql/sql_rules.hpp"

#include <gtest/gtest.h>

#include "unit/job/parsing.hpp"

namespace pgsluice::job {
namespace {

using Texts = std::vector<std::string>;

TEST(SqlSteps, AreSplitIntoStatements) {
  EXPECT_EQ(std::get<Texts>(check_sql("ALTER TABLE a ADD x int;\n\n  COMMENT ON COLUMN a.x IS 'a;b' ;  ")),
            (Texts{"ALTER TABLE a ADD x int", "COMMENT ON COLUMN a.x IS 'a;b'"}));
}

TEST(SqlSteps, KeepASemicolonInsideAStatement) {
  const std::string body = "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$";
  const std::string atomic = "CREATE FUNCTION g() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END";
  EXPECT_EQ(std::get<Texts>(check_sql(body + ";" + atomic + ";")), (Texts{body, atomic}));
}

TEST(SqlSteps, KeepCommentsAndForeignLetters) {
  EXPECT_EQ(std::get<Texts>(check_sql("SELECT 'ä'; -- größer\nSELECT 'ö'")),
            (Texts{"SELECT 'ä'", "-- größer\nSELECT 'ö'"}));
}

TEST(SqlSteps, RefuseWhatCannotCommitWithTheNoteThatItWasDone) {
  const std::pair<const char*, const char*> kCases[] = {
      {"BEGIN; SELECT 1", "contains BEGIN"},
      {"SELECT 1; COMMIT", "contains COMMIT"},
      {"SAVEPOINT s", "contains SAVEPOINT"},
      {"CREATE INDEX CONCURRENTLY i ON a (b)",
       "contains CREATE INDEX CONCURRENTLY, which cannot run in a transaction"},
      {"DROP INDEX CONCURRENTLY i", "contains DROP INDEX CONCURRENTLY, which cannot run in a transaction"},
      {"VACUUM a", "contains VACUUM, which cannot run in a transaction"},
      {"CREATE DATABASE d", "contains CREATE DATABASE, which cannot run in a transaction"},
      {"SET lock_timeout = 0", "contains SET for the whole session"},
      {"COPY a FROM STDIN", "contains COPY from or to the client"},
      {"", "contains no statement"},
      {"-- nothing", "contains no statement"},
  };
  for (const auto& [text, message] : kCases) EXPECT_EQ(refusal_of(check_sql(text)), message) << text;
}

TEST(SqlSteps, SayWhereAConcurrentIndexBelongs) {
  const auto checked = check_sql("CREATE INDEX CONCURRENTLY i ON a (b)");
  EXPECT_EQ(std::get<Refusal>(checked).hint, "build it in a separate step with kind = \"index\"");
}

TEST(SqlSteps, MaySetWhatEndsWithTheTransaction) {
  EXPECT_EQ(refusal_of(check_sql("SET LOCAL work_mem = '1GB'; ALTER TABLE a ADD x int")), "accepted");
}

TEST(SqlSteps, SayInWhichLineTheSyntaxBreaks) {
  EXPECT_EQ(refusal_of(check_sql("SELECT 'äöü';\nSELECT 1;\nSELEC 2")),
            "is not valid SQL: syntax error at or near \"SELEC\" in its line 3");
}

TEST(IndexSteps, HoldOneNamedConcurrentBuild) {
  EXPECT_EQ(std::get<std::string>(check_index(" CREATE UNIQUE INDEX CONCURRENTLY i ON s.a (lower(b)); ")),
            "CREATE UNIQUE INDEX CONCURRENTLY i ON s.a (lower(b))");
  const std::pair<const char*, const char*> kCases[] = {
      {"CREATE INDEX i ON a (b)", "lacks CONCURRENTLY"},
      {"CREATE INDEX CONCURRENTLY ON a (b)", "does not name the index"},
      {"DROP INDEX CONCURRENTLY i", "is DROP INDEX, not CREATE INDEX CONCURRENTLY"},
      {"REINDEX INDEX CONCURRENTLY i", "is REINDEX, not CREATE INDEX CONCURRENTLY"},
      {"CREATE INDEX CONCURRENTLY i ON a (b); SELECT 1", "must be one statement, but contains 2 statements"},
      {"", "must be one statement, but contains no statement"},
  };
  for (const auto& [text, message] : kCases) EXPECT_EQ(refusal_of(check_index(text)), message) << text;
}

TEST(VerifySteps, HoldOneQueryForOneValue) {
  for (const char* text : {"SELECT count(*) FROM a", "WITH x AS (SELECT 1) SELECT * FROM x",
                           "SELECT 1 UNION SELECT 2", "VALUES (1)", "(SELECT 1)"}) {
    EXPECT_EQ(refusal_of(check_query(text)), "accepted") << text;
  }
  const std::pair<const char*, const char*> kCases[] = {
      {"DELETE FROM a", "is DELETE, not SELECT"},
      {"WITH d AS (DELETE FROM a RETURNING 1) SELECT count(*) FROM d", "contains a statement that writes"},
      {"SELECT 1 INTO t", "creates a table (SELECT INTO)"},
      {"SELECT 1 FROM a FOR UPDATE", "locks rows"},
      {"SELECT a, b FROM t", "returns more than one column"},
      {"SELECT count(*) FROM a WHERE b = $1", "contains a parameter"},
      {"SELECT 1; SELECT 2", "must be one statement, but contains 2 statements"},
  };
  for (const auto& [text, message] : kCases) EXPECT_EQ(refusal_of(check_query(text)), message) << text;
}

}  // namespace
}  // namespace pgsluice::job
