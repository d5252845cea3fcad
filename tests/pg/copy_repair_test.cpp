// Goal: `verify --repair` makes each row that a copy lost or that was changed at the target what the source
// has, says which, and touches nothing else; also beside an application, and when it is killed. Method: the
// real program after a copy, with rows changed by hand; a trigger at the target notes what was written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/copy_trial.hpp"
#include "support/pgbench.hpp"

namespace pgsluice::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class CopyRepair : public testing::Test {
 protected:
  void copy_table(const std::string& id = "int", const std::string& rest = "") {
    copy_.both("CREATE TABLE t (id " + id +
               " PRIMARY KEY, price numeric, doc json, code int UNIQUE, note text)");
    copy_.source().exec(
        "INSERT INTO t SELECT g, g / 4.0, '{\"a\": 1.0}', g, nullif('row ' || g, 'row 5') FROM "
        "generate_series(1, 15000) g; ANALYZE t");
    copy_.job("t", "", rest, "[batch]\nrows = 5000");
    copy_.expect("run", 0);
    target().exec(
        "CREATE TABLE written (id text); CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "INSERT INTO written VALUES (NEW.id); RETURN NULL; END $$; CREATE TRIGGER note AFTER INSERT OR "
        "UPDATE "
        "ON t FOR EACH ROW WHEN (current_setting('application_name') LIKE 'pgsluice%') EXECUTE FUNCTION "
        "note()");
  }
  void spoil() {
    target().exec(
        "DELETE FROM t WHERE id::text IN ('17', '14000'); UPDATE t SET price = 1.0 WHERE id::text = '4';"
        "UPDATE t SET note = '' WHERE id::text = '5'; UPDATE t SET doc = '{\"a\": 1.00}' WHERE id::text = "
        "'12345';"
        "INSERT INTO t VALUES ('30000', 1, NULL, 30000, 'its own')");
  }
  Finished repair() { return copy_.trial().verb("verify", {"--repair"}); }
  std::int64_t written() { return target().number("SELECT count(*) FROM written"); }
  Db& target() { return copy_.target(); }
  void expect_same() { copy_.expect_same("TABLE t", "SELECT * FROM t WHERE id::text <> '30000'"); }

  CopyTrial copy_;
};

TEST_F(CopyRepair, MendsWhatIsMissingOrDifferentAndNothingElse) {
  for (const std::string id : {"int", "text"}) {
    SCOPED_TRACE(id);
    copy_.both(
        "DROP TABLE IF EXISTS t, written; DROP FUNCTION IF EXISTS note; DROP SCHEMA IF EXISTS pgsluice "
        "CASCADE");
    copy_table(id);
    spoil();
    copy_.expect("verify", 4);
    const auto done = repair();
    EXPECT_EQ(done.code(), 0) << done.out << done.err;
    EXPECT_THAT(done.out, AllOf(HasSubstr("0 of 15,000 rows missing or different; 5 mended"),
                                HasSubstr("row 17 was missing"), HasSubstr("row 12345 was different"),
                                Not(HasSubstr("30000"))));
    EXPECT_EQ(written(), 5);
    expect_same();
    EXPECT_EQ(target().number("SELECT count(*) FROM t WHERE id::text = '30000'"), 1);
    copy_.expect("verify", 0);
    EXPECT_THAT(repair().out, Not(HasSubstr("mended")));
  }
}

TEST_F(CopyRepair, WithSkipOnlyCopiesWhatIsMissing) {
  copy_table("int", "on_conflict = \"skip\"");
  spoil();
  const auto done = repair();
  EXPECT_EQ(done.code(), 0) << done.out << done.err;
  EXPECT_THAT(done.out, HasSubstr("2 mended: row 17 was missing; row 14000 was missing"));
  EXPECT_EQ(written(), 2);
}

TEST_F(CopyRepair, NamesWhatItCannotMend) {
  copy_table();
  target().exec(
      "DELETE FROM t WHERE id IN (20, 21); INSERT INTO t VALUES (40000, 1, NULL, 20, 'has its code')");
  const auto done = repair();
  EXPECT_EQ(done.code(), 4) << done.out << done.err;
  EXPECT_THAT(done.out, AllOf(HasSubstr("1 of 15,000 rows missing or different: row 20 is missing"),
                              HasSubstr("1 mended: row 21 was missing")));
  target().exec("UPDATE t SET note = 'x' WHERE id = 7; ALTER TABLE t ADD CHECK (note <> 'row 7') NOT VALID");
  EXPECT_THAT(repair().out, HasSubstr("row 7 is different, and cannot be mended"));
}

TEST_F(CopyRepair, IsRefusedBeforeTheCopyIsDone) {
  copy_.both("CREATE TABLE t (id int PRIMARY KEY)");
  copy_.source().exec("INSERT INTO t SELECT generate_series(1, 500)");
  copy_.job("t");
  EXPECT_EQ(repair().code(), 5);
  auto command = copy_.trial().command("run");
  command.env["PGSLUICE_FAILPOINT"] = "after_commit:2";
  EXPECT_EQ(run(command).exit.signal, SIGKILL);
  const auto refused = repair();
  EXPECT_EQ(refused.code(), 5);
  EXPECT_THAT(refusal_of(refused).message, HasSubstr("copy step \"copy\" is not done"));
  copy_.expect("run", 0);
  EXPECT_EQ(repair().code(), 0);
}

TEST_F(CopyRepair, LosesNothingWhenItIsKilled) {
  copy_table();
  target().exec("DELETE FROM t WHERE id % 10 = 0");
  for (int pass = 1; pass <= 3; ++pass) {
    auto command = copy_.trial().command("verify", {"--repair"});
    command.env["PGSLUICE_FAILPOINT"] = "mend_before_commit:2";
    EXPECT_EQ(run(command).exit.signal, SIGKILL);
  }
  EXPECT_EQ(repair().code(), 0);
  expect_same();
  EXPECT_EQ(written(), 1500);
}

TEST_F(CopyRepair, GoesOnBesideAnApplication) {
  copy_table();
  target().exec("UPDATE t SET price = 0, note = 'wrong' WHERE id % 3 = 0; DELETE FROM t WHERE id % 10 = 1");
  Traffic application;
  application.dsn = copy_.source_dsn();
  application.script = "\\set id random(1, 15000)\nUPDATE t SET note = 'app ' || random() WHERE id = :id;\n";
  application.rate = 30;
  Pgbench traffic(application);
  repair();  // rows that the application changes meanwhile may be left
  traffic.stop();
  EXPECT_EQ(repair().code(), 0);
  expect_same();
}

TEST_F(CopyRepair, KeepsWhatRollbackRemoves) {
  copy_table("int", "keep = true");
  spoil();
  EXPECT_EQ(repair().code(), 0);
  const auto back = copy_.trial().verb("rollback");
  EXPECT_EQ(back.code(), 0) << back.out << back.err;
  EXPECT_EQ(target().column("SELECT id::text FROM t"), std::vector<std::string>{"30000"});
}

}  // namespace
}  // namespace pgsluice::test
