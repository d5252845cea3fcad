// Goal: rows that the target has already stay, or become the source's, as the step says, and no other is
// touched. Method: the real program between two databases; a trigger at the target notes what was written.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/copy_trial.hpp"

namespace pgsluice::test {
namespace {

using testing::HasSubstr;

class CopyConflict : public testing::Test {
 protected:
  /// 3,000 rows; the target has some of them: the same, the same by value, another, and one of its own.
  void make_tables(const std::string& id = "int") {
    copy_.both("CREATE TABLE t (id " + id + " PRIMARY KEY, price numeric, doc json, code int UNIQUE)");
    copy_.source().exec(
        "INSERT INTO t SELECT g, 1.0, '{\"a\": 1}', g FROM generate_series(1, 3000) g; ANALYZE t");
    copy_.target().exec(
        "INSERT INTO t VALUES (700, 1.0, '{\"a\": 1}', 700), (701, 1.00, '{\"a\": 1}', 701), (702, 5, '{}', "
        "NULL), "
        "(9000, 7, NULL, 9000);"
        "CREATE TABLE written (id text); CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "INSERT "
        "INTO written VALUES (NEW.id); RETURN NULL; END $$; CREATE TRIGGER note AFTER INSERT OR UPDATE ON t "
        "FOR EACH "
        "ROW EXECUTE FUNCTION note()");
  }

  CopyTrial copy_;
};

TEST_F(CopyConflict, SkipLeavesWhatIsThere) {
  for (const std::string id : {"int", "text"}) {
    SCOPED_TRACE(id);
    copy_.both(
        "DROP TABLE IF EXISTS t, written; DROP FUNCTION IF EXISTS note; DROP SCHEMA IF EXISTS pgsluice "
        "CASCADE");
    make_tables(id);
    copy_.job("t", "", "on_conflict = \"skip\"");
    copy_.expect("run", 0);
    copy_.expect_same("SELECT * FROM t WHERE id::text NOT IN ('700', '701', '702')",
                      "SELECT * FROM t WHERE id::text NOT IN ('700', '701', '702', '9000')");
    EXPECT_EQ(copy_.target().number("SELECT count(*) FROM written"), 2997);
    EXPECT_EQ(copy_.target().text("SELECT price FROM t WHERE id::text = '702'"), "5");
    copy_.expect("verify", 0);
  }
}

TEST_F(CopyConflict, UpdateReplacesWhatDiffersAndNothingElse) {
  for (const std::string id : {"int", "text"}) {
    SCOPED_TRACE(id);
    copy_.both(
        "DROP TABLE IF EXISTS t, written; DROP FUNCTION IF EXISTS note; DROP SCHEMA IF EXISTS pgsluice "
        "CASCADE");
    make_tables(id);
    copy_.job("t", "", "on_conflict = \"update\"");
    copy_.expect("run", 0);
    copy_.expect_same("TABLE t", "SELECT * FROM t WHERE id::text <> '9000'");
    EXPECT_EQ(copy_.target().number("SELECT count(*) FROM written"), 2999) << "700 was right already";
    copy_.expect("verify", 0);
  }
}

TEST_F(CopyConflict, SkipHeedsASecondUniqueKey) {
  make_tables();
  copy_.target().exec("INSERT INTO t VALUES (9001, 1, NULL, 1234)");
  copy_.job("t", "", "on_conflict = \"skip\"");
  copy_.expect("run", 0);
  EXPECT_EQ(copy_.target().number("SELECT count(*) FROM t WHERE id = 1234"), 0);
  EXPECT_EQ(copy_.target().number("SELECT count(*) FROM t WHERE id BETWEEN 1 AND 3000"), 2999);
  copy_.expect("verify", 4);
}

TEST_F(CopyConflict, UpdateWritesAlwaysIdentityAndRefusesWithoutAKey) {
  copy_.both("CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int)");
  copy_.source().exec("INSERT INTO t (n) SELECT g FROM generate_series(1, 300) g");
  copy_.target().exec("INSERT INTO t (n) VALUES (-1), (-2)");
  copy_.job("t", "", "on_conflict = \"update\"");
  copy_.expect("run", 0);
  copy_.expect_same("TABLE t");
  copy_.target().exec("ALTER TABLE t DROP CONSTRAINT t_pkey; DROP SCHEMA pgsluice CASCADE");
  const auto done = copy_.trial().run();
  EXPECT_EQ(done.code(), 5);
  EXPECT_THAT(refusal_of(done).message, HasSubstr("has no unique key whose columns are copied"));
}

TEST_F(CopyConflict, HoldsWhenKilledBetweenStageAndPosition) {
  make_tables();
  copy_.job("t", "", "on_conflict = \"update\"");
  for (const std::string name : {"after_position:3", "after_update:9", "after_commit:20"}) {
    auto command = copy_.trial().command("run");
    command.env["PGSLUICE_FAILPOINT"] = name;
    EXPECT_EQ(run(command).exit.signal, SIGKILL) << name;
  }
  copy_.expect("run", 0);
  copy_.expect_same("TABLE t", "SELECT * FROM t WHERE id <> 9000");
  EXPECT_EQ(copy_.target().number("SELECT count(*) FROM written"), 2999);
}

}  // namespace
}  // namespace pgsluice::test
