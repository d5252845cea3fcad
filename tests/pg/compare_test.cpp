// Goal: a verify step that compares two tables finds every row that is missing, different or surplus,
// whatever the key, and nothing where both are equal; it stops when it is told to. Method: the real program
// on pairs of tables, in two databases and in one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/copy_trial.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Compare : public testing::Test {
 protected:
  void make_tables(const std::string& id) {
    copy_.both(
        "DROP TABLE IF EXISTS a; DROP SCHEMA IF EXISTS pgsluice CASCADE; CREATE TABLE a (" + id +
        ", n int, note text); INSERT INTO a SELECT g, g, 'row ' || g FROM generate_series(1, 25000) g; "
        "ANALYZE a");
    job("from = { dsn = \"" + copy_.source_dsn() + "\", table = \"a\" }, to = \"a\"");
  }
  void job(const std::string& compare) {
    copy_.trial().job("name = \"same\"\n[[step]]\nkind = \"verify\"\nname = \"same\"\ncompare = { " +
                      compare + " }\n");
  }
  Db& target() { return copy_.target(); }

  CopyTrial copy_;
};

TEST_F(Compare, FindsWhatIsMissingDifferentOrSurplus) {
  for (const std::string id : {"id int PRIMARY KEY", "id text PRIMARY KEY"}) {
    SCOPED_TRACE(id);
    make_tables(id);
    copy_.expect("plan", 0);
    copy_.expect("check", 0);
    copy_.expect("run", 0);
    copy_.expect("verify", 0);
    target().exec(
        "DELETE FROM a WHERE id::text = '17000'; UPDATE a SET n = NULL WHERE id::text = '4';"
        "INSERT INTO a VALUES ('0', 1, 'x'), ('999999', 1, 'x')");
    const auto done = copy_.trial().verb("verify");
    EXPECT_EQ(done.code(), 4) << done.out << done.err;
    EXPECT_THAT(done.out, AllOf(HasSubstr("2 of 25,000 rows missing or different, 2 more at the target only"),
                                HasSubstr("row 17000 is missing"), HasSubstr("row 4 is different")));
    if (id.starts_with("id int")) {
      EXPECT_THAT(done.out, AllOf(HasSubstr("row 0 is only at the target"), HasSubstr("row 999999 is only")));
    }
    target().exec("DROP SCHEMA pgsluice CASCADE");
    copy_.expect("run", 4);
  }
}

TEST_F(Compare, ComparesTwoTablesOfOneDatabaseWithAConditionAndExpressions) {
  target().exec(
      "CREATE TABLE old (id int PRIMARY KEY, name text, gone bool); CREATE TABLE new (id bigint PRIMARY KEY, "
      "upper_name text);"
      "INSERT INTO old SELECT g, 'n' || g, g % 2 = 0 FROM generate_series(1, 500) g;"
      "INSERT INTO new SELECT id, upper(name) FROM old WHERE NOT gone");
  job("from = { table = \"old\", where = \"NOT gone\" }, to = \"new\", columns = { upper_name = "
      "\"upper(name)\" "
      "}");
  copy_.expect("run", 0);
  target().exec("UPDATE new SET upper_name = 'n7' WHERE id = 7; INSERT INTO new VALUES (8, 'N8')");
  EXPECT_THAT(copy_.trial().verb("verify").out,
              AllOf(HasSubstr("row 7 is different"), HasSubstr("row 8 is only at the target")));
}

TEST_F(Compare, SeesAnEmptySourceAndAnEmptyTarget) {
  make_tables("id int PRIMARY KEY");
  copy_.source().exec("TRUNCATE a");
  EXPECT_THAT(copy_.trial().verb("verify").out, HasSubstr("more at the target only"));
  target().exec("TRUNCATE a");
  copy_.expect("verify", 0);
}

TEST_F(Compare, StopsWhenItIsToldToAndGoesOnLater) {
  make_tables("id int PRIMARY KEY");
  Db holder(copy_.trial().dsn());
  holder.exec("BEGIN; LOCK TABLE a IN ACCESS EXCLUSIVE MODE");
  Process run(copy_.trial().command("run"));
  wait_for(
      [&] {
        return target().yes(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
            "AND application_name LIKE 'pgsluice%')");
      },
      "the comparison to wait");
  run.signal(SIGTERM);
  EXPECT_EQ(run.wait().code, 75) << run.out() << run.err();
  holder.exec("ROLLBACK");
  copy_.expect("run", 0);
}

TEST_F(Compare, SaysWhatDoesNotGoWithIt) {
  copy_.trial().job(
      "name = \"same\"\n[[step]]\nkind = \"verify\"\nname = \"same\"\nquery = \"SELECT 1\"\ncompare = { to = "
      "\"a\" "
      "}\n");
  const auto done = copy_.trial().run();
  EXPECT_EQ(done.code(), 78);
  EXPECT_THAT(done.out + done.err, AllOf(HasSubstr("does not go with compare"), HasSubstr("from")));
}

}  // namespace
}  // namespace pgsluice::test
