// Goal: `verify` of a copy names each row that is missing or different, and no other, whatever the types,
// keys and encodings. Method: the real program after a copy, with rows changed by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/copy_trial.hpp"

namespace pgsluice::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class CopyVerify : public testing::Test {
 protected:
  void copy_table(const std::string& id) {
    copy_.both("DROP TABLE IF EXISTS t; DROP SCHEMA IF EXISTS pgsluice CASCADE; CREATE TABLE t (" + id +
               ", price numeric, doc jsonb, note text)");
    copy_.source().exec(
        "INSERT INTO t SELECT g, g / 4.0, '{\"a\": 1.0}', nullif('row ' || g, 'row 5') FROM "
        "generate_series(1, 25000) g; ANALYZE t");
    copy_.job("t", "", "", "[batch]\nrows = 5000");
    copy_.expect("run", 0);
    copy_.expect("verify", 0);
  }

  std::string differences() {
    const auto done = copy_.trial().verb("verify");
    EXPECT_EQ(done.code(), 4) << done.out << done.err;
    return done.out;
  }

  CopyTrial copy_;
};

TEST_F(CopyVerify, NamesEveryRowThatIsMissingOrDifferent) {
  for (const std::string id : {"id int PRIMARY KEY", "id text PRIMARY KEY"}) {
    SCOPED_TRACE(id);
    copy_table(id);
    copy_.target().exec(
        "DELETE FROM t WHERE id::text = '17000'; UPDATE t SET price = 1.0 WHERE id::text = '4';"
        "UPDATE t SET note = '' WHERE id::text = '5'; UPDATE t SET doc = '{\"a\": 1.00}' WHERE id::text = "
        "'12345';"
        "INSERT INTO t VALUES ('30000', 1, NULL, 'its own')");
    const auto said = differences();
    EXPECT_THAT(said, AllOf(HasSubstr("4 of 25,000 rows missing or different"),
                            HasSubstr("row 17000 is missing"), HasSubstr("row 5 is different"),
                            HasSubstr("row 12345 is different"), Not(HasSubstr("30000"))));
  }
}

TEST_F(CopyVerify, ComparesWhatTheTargetMadeOfAValue) {
  copy_.source().exec(
      "CREATE TABLE t (id int PRIMARY KEY, n int, short text, doc text, old text);"
      "INSERT INTO t SELECT g, g, 'x', '{\"b\":1,  \"a\": 2}', 'u' || g FROM generate_series(1, 3000) g");
  copy_.target().exec(
      "CREATE TABLE t (id bigint PRIMARY KEY, n numeric(12, 2), short char(5), doc jsonb, new text)");
  copy_.job("t", ", where = \"id % 2 = 0\"", "columns = { new = \"old || '!'\" }");
  copy_.expect("run", 0);
  copy_.expect("verify", 0);
  copy_.target().exec("UPDATE t SET new = 'u100?' WHERE id = 100");
  EXPECT_THAT(differences(), HasSubstr("1 of 1,500 rows missing or different: row 100 is different"));
}

TEST_F(CopyVerify, FindsRowsByAKeyOfSeveralColumns) {
  copy_.source().exec(
      "CREATE TABLE t (a int, b text, n int, PRIMARY KEY (a, b)); INSERT INTO t SELECT g / 10, 'b' || g, g "
      "FROM "
      "generate_series(1, 500) g");
  copy_.target().exec("CREATE TABLE t (a bigint, b text, n int, PRIMARY KEY (a, b))");
  copy_.job("t");
  copy_.expect("run", 0);
  copy_.expect("verify", 0);
  copy_.target().exec("UPDATE t SET n = 0 WHERE a = 7 AND b = 'b77'");
  EXPECT_THAT(differences(), HasSubstr("1 of 500 rows missing or different: row (7, b77) is different"));
}

TEST_F(CopyVerify, GivesUpAtAThousand) {
  copy_table("id int PRIMARY KEY");
  copy_.target().exec("TRUNCATE t");
  EXPECT_THAT(differences(), HasSubstr("at least "));
}

}  // namespace
}  // namespace pgsluice::test
