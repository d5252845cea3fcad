// Goal: with keep, rollback removes exactly the rows that a copy inserted, where they still are as copied,
// and counts, names and keeps all others, whatever the types and whoever is killed. Method: the real program
// between two databases, an application's changes by hand; what must stay is compared row by row.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/copy_trial.hpp"
#include "support/environment.hpp"

namespace pgsluice::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class CopyRollback : public testing::Test {
 protected:
  void make_tables(const std::string& id = "int") {
    copy_.both("CREATE TABLE t (id " + id + " PRIMARY KEY, n int, note text)");
    source().exec("INSERT INTO t SELECT g, g, 'row ' || g FROM generate_series(1, 2000) g; ANALYZE t");
  }

  Db& source() { return copy_.source(); }
  Db& target() { return copy_.target(); }
  std::vector<std::string> ids() { return target().column("SELECT id::text FROM t ORDER BY id::text::int"); }
  std::string reason(int id) {
    return target().text("SELECT message FROM pgsluice.quarantine WHERE key = ARRAY['" + std::to_string(id) +
                         "']");
  }
  std::int64_t images() {
    return target().number("SELECT count(*) FROM pg_class WHERE relname LIKE 'image\\_%' AND relkind = 'r'");
  }

  CopyTrial copy_;
};

TEST_F(CopyRollback, RemovesWhatItCopiedAndNothingElse) {
  for (const std::string id : {"int", "text"}) {
    SCOPED_TRACE(id);
    copy_.both("DROP TABLE IF EXISTS t; DROP SCHEMA IF EXISTS pgsluice CASCADE");
    make_tables(id);
    target().exec("INSERT INTO t VALUES (700, 700, 'row 700'), (702, 5, NULL), (9000, 7, 'its own')");
    copy_.job("t", "", "on_conflict = \"skip\"\nkeep = true");
    copy_.expect("plan", 0);
    copy_.expect("check", 0);
    copy_.expect("run", 0);
    copy_.expect("verify", 0);
    EXPECT_EQ(images(), 1);
    copy_.expect("rollback", 0);
    EXPECT_THAT(ids(), ElementsAre("700", "702", "9000"))
        << "rows that were there, also one like the source's";
    EXPECT_EQ(images(), 0);
    copy_.expect("run", 0);
    copy_.expect_same("SELECT * FROM t WHERE id::text <> '702'",
                      "SELECT * FROM t WHERE id::text NOT IN ('702', '9000')");
  }
}

TEST_F(CopyRollback, KeepsCountsAndNamesWhatOthersChanged) {
  make_tables();
  target().exec("CREATE TABLE child (t_id int REFERENCES t ON DELETE CASCADE)");
  copy_.job("t", "", "keep = true");
  copy_.expect("run", 0);
  target().exec(
      "UPDATE t SET note = 'app' WHERE id = 5; UPDATE t SET n = NULL WHERE id = 6; DELETE FROM t WHERE id = "
      "7;"
      "UPDATE t SET n = -n WHERE id = 8; UPDATE t SET n = -n WHERE id = 8; INSERT INTO child VALUES (9);"
      "UPDATE t SET id = 10000 WHERE id = 10; INSERT INTO t VALUES (7, 7, 'new'), (20000, 1, 'app')");
  const auto back = copy_.trial().verb("rollback");
  EXPECT_EQ(back.code(), 0) << back.out << back.err;
  EXPECT_THAT(summary_of(back)["reason"], HasSubstr("5 rows were changed since or are gone"));
  EXPECT_THAT(ids(), ElementsAre("5", "6", "7", "9", "10000", "20000"));
  EXPECT_THAT(reason(5), HasSubstr("it was changed since it was copied, and is kept"));
  EXPECT_THAT(reason(9), HasSubstr("a row of \"public\".\"child\" refers to it, and it is kept"));
  EXPECT_THAT(reason(10), HasSubstr("the row is gone"));
  EXPECT_EQ(target().number("SELECT count(*) FROM child"), 1);
  const auto failures = copy_.trial().verb("failures");
  EXPECT_THAT(failures.out, AllOf(HasSubstr("it was changed since"), HasSubstr("child")));
}

TEST_F(CopyRollback, RemovesChangedRowsOnlyWhenForced) {
  make_tables();
  target().exec("CREATE TABLE child (t_id int REFERENCES t)");
  copy_.job("t", "", "keep = true");
  copy_.expect("run", 0);
  target().exec(
      "UPDATE t SET note = 'app' WHERE id = 5; INSERT INTO child VALUES (9); INSERT INTO t VALUES (30000, 1, "
      "'app')");
  auto command = copy_.trial().command("rollback");
  command.env["PGSLUICE_FAILPOINT"] = "rollback_before_note";
  EXPECT_EQ(run(command).exit.signal, SIGKILL) << "5 and 9 are named by then";
  copy_.expect("rollback", 0, {"--force"});
  EXPECT_THAT(ids(), ElementsAre("9", "30000")) << "what others refer to stays, forced or not";
}

TEST_F(CopyRollback, KnowsItsRowsOfAnyTypeAsTheyWereStored) {
  copy_.both(
      "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TYPE pair AS (a int, b text);"
      "CREATE TABLE \"Odd t\" (\"hash\" numeric, place text, k1 float8, d date, t timestamptz, i interval, b "
      "bytea, j "
      "jsonb, js json, a text[], m mood, p pair, r int4range, u uuid, big real, x bit(4), mon money, PRIMARY "
      "KEY "
      "(\"hash\", place))");
  source().exec(
      "INSERT INTO \"Odd t\" SELECT g / 10.0, E'a\\t' || g, 1e300 / g, 'infinity', now(), g * interval '1 "
      "month "
      "2 "
      "hours', decode('00ff', 'hex'), '{\"a\": 1.00}', '{\"a\":  1}', ARRAY['x', NULL, E'\\\\'], 'ok', "
      "ROW(g, 'q')::pair, "
      "'[1,4)', md5(g::text)::uuid, 0.1, B'1010', 12.5 FROM generate_series(1, 300) g;"
      "INSERT INTO \"Odd t\" (\"hash\", place) VALUES (-1, '')");
  target().exec(
      "ALTER TABLE \"Odd t\" ADD twice numeric GENERATED ALWAYS AS (\"hash\" * 2) STORED, ADD given int "
      "DEFAULT "
      "42, ADD "
      "changed text; CREATE FUNCTION alter_it() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.changed := "
      "'by trigger'; RETURN NEW; END $$; CREATE TRIGGER alter_it BEFORE INSERT ON \"Odd t\" FOR EACH ROW "
      "EXECUTE "
      "FUNCTION "
      "alter_it()");
  copy_.job("\\\"Odd t\\\"", "", "keep = true");
  copy_.expect("run", 0);
  EXPECT_EQ(target().number("SELECT count(*) FROM \"Odd t\" WHERE changed = 'by trigger'"), 301);
  const auto database = copy_.trial().database();
  target().exec("ALTER DATABASE " + database + " SET bytea_output = 'escape'; ALTER DATABASE " + database +
                " SET intervalstyle = 'iso_8601'; ALTER DATABASE " + database +
                " SET timezone = 'Asia/Tokyo'");
  target().exec("UPDATE \"Odd t\" SET given = 43 WHERE place = E'a\\t7'");
  copy_.expect("rollback", 0);
  EXPECT_THAT(target().column("SELECT given::text FROM \"Odd t\""), ElementsAre("43"));
}

TEST_F(CopyRollback, GoesThroughAPartitionedTarget) {
  source().exec(
      "CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t SELECT g, g FROM generate_series(1, 1000) "
      "g");
  target().exec(
      "CREATE TABLE t (id int PRIMARY KEY, n int) PARTITION BY RANGE (id);"
      "CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (500); CREATE TABLE t2 PARTITION OF t DEFAULT;"
      "INSERT INTO t VALUES (0, 1), (5000, 1)");
  copy_.job("t", "", "keep = true");
  copy_.expect("run", 0);
  target().exec("UPDATE t SET n = 0 WHERE id IN (3, 700)");
  copy_.expect("rollback", 0);
  EXPECT_THAT(ids(), ElementsAre("0", "3", "700", "5000"));
}

TEST_F(CopyRollback, HoldsHoweverOftenCopyAndRollbackAreKilled) {
  make_tables();
  target().exec("INSERT INTO t VALUES (0, 0, 'its own'), (1500, 0, 'its own')");
  copy_.job("t", "", "on_conflict = \"skip\"\nkeep = true");
  const auto killed_at = [&](const std::string& verb, const std::string& failpoint) {
    auto command = copy_.trial().command(verb);
    command.env["PGSLUICE_FAILPOINT"] = failpoint;
    EXPECT_EQ(run(command).exit.signal, SIGKILL) << verb << " " << failpoint;
  };
  for (const std::string at : {"after_position:3", "after_update:4", "after_commit:5"}) killed_at("run", at);
  copy_.expect("run", 0);
  EXPECT_EQ(target().number("SELECT count(*) FROM t"), 2001);
  target().exec("UPDATE t SET n = 0 WHERE id IN (17, 1717)");
  for (const std::string at :
       {"after_position:1", "after_update:1", "after_commit:1", "rollback_before_note"})
    killed_at("rollback", at);
  copy_.expect("rollback", 0);
  EXPECT_THAT(ids(), ElementsAre("0", "17", "1500", "1717"));
  EXPECT_EQ(target().number("SELECT count(*) FROM pgsluice.quarantine"), 2);
}

TEST_F(CopyRollback, OfAnInterruptedCopyRemovesWhatItHasGot) {
  make_tables();
  copy_.job("t", "", "keep = true");
  auto command = copy_.trial().command("run");
  command.env["PGSLUICE_FAILPOINT"] = "after_commit:5";
  EXPECT_EQ(run(command).exit.signal, SIGKILL);
  EXPECT_GT(target().number("SELECT count(*) FROM t"), 0);
  copy_.expect("rollback", 0);
  EXPECT_THAT(ids(), IsEmpty());
}

TEST_F(CopyRollback, RefusesWhatItCouldNotTakeBack) {
  make_tables();
  copy_.job("t", "", "on_conflict = \"update\"\nkeep = true");
  const auto refused = copy_.trial().run();
  EXPECT_THAT(refused.out + refused.err, HasSubstr("the rows that it replaces could not be put back"));
  copy_.job("t", "", "keep = true");
  target().exec("ALTER TABLE t ADD parent int REFERENCES t");
  EXPECT_THAT(copy_.trial().verb("check").out, HasSubstr("refers to the table itself"));
  EXPECT_EQ(copy_.trial().run().code(), 5);
  target().exec("DROP TABLE t; CREATE TABLE t (id int, n int, note text)");
  EXPECT_EQ(copy_.trial().run().code(), 5);
  EXPECT_EQ(target().number("SELECT count(*) FROM t"), 0);
}

}  // namespace
}  // namespace pgsluice::test
