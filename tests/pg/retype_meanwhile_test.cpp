// Goal: what people change on a column while its retype waits is kept, or told: defaults, NOT NULL, rows that
// cannot be mapped, a second retype over the same index. Method: the real program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/one_column.hpp"

namespace pgsluice::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class RetypeMeanwhile : public OneColumn {
 protected:
  /// Default and NOT NULL of column c.
  std::string said_of_c() {
    return db().text(
        "SELECT coalesce(pg_get_expr(d.adbin, d.adrelid), 'none') || CASE WHEN a.attnotnull THEN ' not null' "
        "ELSE '' END FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = "
        "a.attnum WHERE a.attrelid = 't'::regclass AND a.attname = 'c'");
  }
  void widen(const std::string& column) {
    make_table(column, "(1, 10)");
    change_to("bigint");
    expect("run", 9);
  }
  void two_jobs_in_one(const std::string& cutover) {
    std::string text = "name = \"two\"\n";
    for (const std::string column : {"c", "d"})
      text += "\n[[step]]\nkind = \"retype\"\nname = \"type-" + column + "\"\ntable = \"t\"\ncolumn = \"" +
              column + "\"\nto = \"bigint\"\ncutover = \"" + cutover + "\"\n";
    trial().job(text);
  }
};

TEST_F(RetypeMeanwhile, DefaultGivenWhileReadyIsTheNewColumnsToo) {
  widen("int DEFAULT 1");
  db().exec("ALTER TABLE t ALTER COLUMN c SET DEFAULT 42");
  expect("cutover", 0);
  db().exec("INSERT INTO t (id) VALUES (2)");
  EXPECT_EQ(db().text("SELECT c FROM t WHERE id = 2"), "42");
  expect("rollback", 0);
  EXPECT_EQ(said_of_c(), "42");
}

TEST_F(RetypeMeanwhile, DefaultDroppedWhileReadyIsGone) {
  make_table("text DEFAULT 'x'", "(1, 'a')");
  change_to("varchar(20)");
  expect("run", 9);
  db().exec("ALTER TABLE t ALTER COLUMN c DROP DEFAULT");
  expect("cutover", 0);
  EXPECT_EQ(said_of_c(), "none");
}

TEST_F(RetypeMeanwhile, NotNullDroppedWhileReadyIsGone) {
  widen("int NOT NULL");
  db().exec("ALTER TABLE t ALTER COLUMN c DROP NOT NULL");
  expect("cutover", 0);
  db().exec("INSERT INTO t (id) VALUES (2)");
  EXPECT_EQ(said_of_c(), "none");
  expect("rollback", 0);
  EXPECT_EQ(said_of_c(), "none");
}

TEST_F(RetypeMeanwhile, NotNullGivenWhileReadyIsProvedByTheNextRun) {
  widen("int");
  db().exec("ALTER TABLE t ALTER COLUMN c SET NOT NULL");
  expect("cutover", 5);
  expect("run", 9);
  expect("cutover", 0);
  EXPECT_EQ(said_of_c(), "none not null");
  expect("rollback", 0);
  EXPECT_EQ(said_of_c(), "none not null");
  EXPECT_EQ(columns(), "id, c, note");
}

TEST_F(RetypeMeanwhile, NotNullGivenAfterTheCutOverComesBack) {
  widen("int");
  expect("cutover", 0);
  db().exec("ALTER TABLE t ALTER COLUMN c SET NOT NULL");
  expect("rollback", 0);
  EXPECT_EQ(said_of_c(), "none not null");
  EXPECT_EQ(db().text("SELECT count(*) FROM pg_constraint WHERE conrelid = 't'::regclass AND contype = 'c'"),
            "0");
}

TEST_F(RetypeMeanwhile, DefaultGivenAfterTheCutOverIsToldOnTheWayBack) {
  widen("int DEFAULT 1");
  expect("cutover", 0);
  db().exec("ALTER TABLE t ALTER COLUMN c SET DEFAULT 42");
  EXPECT_THAT(text_of("rollback", 0), AllOf(HasSubstr("\"c\""), HasSubstr("another default")));
  EXPECT_EQ(said_of_c(), "1");
}

TEST_F(RetypeMeanwhile, DefaultThatNobodyChangedIsNotTold) {
  widen("int DEFAULT 1");
  expect("cutover", 0);
  EXPECT_THAT(text_of("rollback", 0), Not(HasSubstr("another default")));
}

TEST_F(RetypeMeanwhile, RowsWrittenWhileTheTriggersWereOffGoBackAsTheyAre) {
  make_table("int", "(1, 10), (2, 20), (3, 30)");
  change_to("bigint");
  expect("run", 9);
  expect("cutover", 0);
  db().exec("SET session_replication_role = replica; UPDATE t SET c = 11 WHERE id = 1");
  db().exec(
      "ALTER TABLE t DISABLE TRIGGER USER; UPDATE t SET c = 22 WHERE id = 2; INSERT INTO t (id, c) VALUES "
      "(4, 44); UPDATE t SET c = NULL WHERE id = 3");
  expect("rollback", 5);
  db().exec(
      "DO $$ DECLARE n text; BEGIN FOR n IN SELECT tgname FROM pg_trigger WHERE tgrelid = 't'::regclass LOOP "
      "EXECUTE format('ALTER TABLE t ENABLE ALWAYS TRIGGER %I', n); END LOOP; END $$");
  expect("rollback", 0);
  EXPECT_EQ(db().text("SELECT string_agg(id || '/' || coalesce(c::text, 'null'), ' ' ORDER BY id) FROM t"),
            "1/11 2/22 3/null 4/44");
}

/// The fill walks along the key, and a row may jump behind it.
TEST_F(RetypeMeanwhile, RowThatChangesItsKeyDuringTheFillIsFilled) {
  make_table("int", "");
  db().exec("INSERT INTO t (id, c) SELECT g * 10, g FROM generate_series(1, 3000) AS g; ANALYZE t");
  trial().job(
      "name = \"change\"\n[batch]\nrows = 100\nrows_max = 100\n\n[[step]]\nkind = \"retype\"\nname = "
      "\"type\"\ntable = "
      "\"t\"\ncolumn = \"c\"\nto = \"bigint\"\n");
  auto command = trial().command("run");
  command.env["PGSLUICE_FAILPOINT"] = "after_commit:5";
  EXPECT_EQ(run(command).exit, (Exit{-1, SIGKILL}));
  EXPECT_GT(db().number("SELECT count(*) FROM t WHERE c_new IS NULL"), 100);
  db().exec("UPDATE t SET id = -id WHERE c_new IS NULL");
  EXPECT_EQ(db().number("SELECT count(*) FROM t WHERE c_new IS NULL"), 0);
  expect("run", 9);
  expect("cutover", 0);
  EXPECT_EQ(db().number("SELECT count(*) FROM t WHERE c IS NULL OR abs(id) <> c * 10"), 0);
}

/// An upsert brings the whole row, also a value that cannot be mapped and that it does not change.
TEST_F(RetypeMeanwhile, UpsertOfARowThatCannotBeMappedIsTaken) {
  make_table("text", "(1, '10'), (2, 'no number')");
  trial().job(
      "name = \"change\"\nmax_quarantined = 5\n\n[[step]]\nkind = \"retype\"\nname = \"type\"\ntable = "
      "\"t\"\ncolumn = \"c\"\nto = \"int\"\nusing = \"c::int\"\nback = \"c::text\"\n");
  EXPECT_THAT(text_of("run", 1), HasSubstr("no number"));
  db().exec(
      "INSERT INTO t (id, c, note) VALUES (2, 'no number', 'seen') ON CONFLICT (id) DO UPDATE SET c = "
      "excluded.c, note = excluded.note");
  EXPECT_EQ(db().text("SELECT note FROM t WHERE id = 2"), "seen");
  EXPECT_THROW(db().exec("INSERT INTO t (id, c) VALUES (3, 'no number')"), std::exception);
}

TEST_F(RetypeMeanwhile, SecondRetypeOverOneIndexIsRefusedBeforeTheFirstIsCutOver) {
  make_table("int", "(1, 10)");
  db().exec("ALTER TABLE t ADD COLUMN d int; CREATE INDEX of_both ON t (c, d)");
  two_jobs_in_one("auto");
  EXPECT_THAT(text_of("check", 5), AllOf(HasSubstr("of_both"), HasSubstr("type-d")));
  expect("run", 5);
  EXPECT_EQ(type(), "integer");
  two_jobs_in_one("manual");
  EXPECT_THAT(text_of("check", 0), HasSubstr("of_both"));
  expect("run", 9);
  expect("cutover", 0);
  expect("contract", 0);
  expect("run", 9);
}

}  // namespace
}  // namespace pgsluice::test
