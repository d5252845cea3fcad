// Goal: a sql step whose objects are there already, by hand or half applied, is finished if they are what it
// would make, refused with the difference if not, and its rollback says what it leaves and what it drops.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/trial.hpp"

namespace pgsluice::test {
namespace {

using testing::HasSubstr;

class ExistingObjects : public testing::Test {
 protected:
  ExistingObjects() {
    trial_.db().exec(
        "CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE t (id int PRIMARY KEY, n int); "
        "INSERT INTO t SELECT generate_series(1, 10)");
  }

  void job(const std::vector<std::string>& up, const std::string& down = {}) {
    std::string list;
    for (const auto& sql : up) list += (list.empty() ? "" : ", ") + ("'''" + sql + "'''");
    trial_.job("name = \"change\"\n[[step]]\nkind = \"sql\"\nname = \"change\"\nup = [" + list + "]\n" +
               (down.empty() ? "" : "down = '''" + down + "'''\n"));
  }

  /// The job finds `there`, made by hand, and takes it as done.
  void expect_taken(const std::string& there, const std::vector<std::string>& up, const std::string& words) {
    trial_.db().exec(there);
    job(up);
    EXPECT_THAT(trial_.verb("check").out, HasSubstr(words));
    EXPECT_THAT(trial_.verb("plan").out, HasSubstr(words));
    const auto finished = trial_.run();
    EXPECT_EQ(finished.code(), 0) << finished.out << finished.err;
    ASSERT_EQ(trial_.logged("warning").size(), 1U);
    EXPECT_THAT(trial_.logged("warning").front().dump(), HasSubstr(words));
  }

  /// The job finds `there` and is refused before its first write.
  void expect_refused(const std::string& there, const std::string& up,
                      const std::vector<std::string>& words) {
    trial_.db().exec(there);
    job({up});
    const auto finished = trial_.run();
    EXPECT_EQ(finished.code(), 5) << finished.out << finished.err;
    for (const auto& word : words) EXPECT_THAT(refusal_of(finished).message, HasSubstr(word));
    EXPECT_TRUE(trial_.is_untouched());
  }

  bool has_column(const std::string& name) {
    return trial_.db().yes(
        "SELECT EXISTS (SELECT FROM pg_attribute WHERE attrelid = 't'::regclass AND NOT "
        "attisdropped AND attname = '" +
        name + "')");
  }

  Trial trial_;
};

TEST_F(ExistingObjects, AnEqualColumnIsTakenAsDone) {
  expect_taken("ALTER TABLE t ADD COLUMN v numeric(8,2) NOT NULL DEFAULT 0.5",
               {"ALTER TABLE public.t ADD COLUMN v numeric(8,2) NOT NULL DEFAULT 0.5"}, "column \\\"v\\\"");
}

TEST_F(ExistingObjects, ASerialColumnIsTakenAsDoneWhateverItsSequenceIsCalled) {
  expect_taken("ALTER TABLE t ADD COLUMN v serial", {"ALTER TABLE t ADD COLUMN v serial"},
               "column \\\"v\\\"");
}

TEST_F(ExistingObjects, AColumnOfAnotherTypeIsRefused) {
  expect_refused("ALTER TABLE t ADD COLUMN v int", "ALTER TABLE t ADD COLUMN v bigint",
                 {"column \"v\" is there as integer, and the statement makes bigint"});
}

TEST_F(ExistingObjects, AColumnWithAnotherDefaultOrNullnessIsRefused) {
  expect_refused("ALTER TABLE t ADD COLUMN v int DEFAULT 1",
                 "ALTER TABLE t ADD COLUMN v int NOT NULL DEFAULT 2",
                 {"integer DEFAULT 1", "integer NOT NULL DEFAULT 2"});
}

TEST_F(ExistingObjects, HalfOfOneStatementIsRefusedByName) {
  expect_refused("ALTER TABLE t ADD COLUMN v int", "ALTER TABLE t ADD COLUMN v int, ADD COLUMN w int",
                 {"column \"w\" is not there", "column \"v\" is there as the statement makes it"});
}

TEST_F(ExistingObjects, HalfOfAStepIsFinished) {
  trial_.db().exec("ALTER TABLE t ADD COLUMN v int; CREATE INDEX t_v ON t (v)");
  job({"ALTER TABLE t ADD COLUMN v int", "ALTER TABLE t ADD COLUMN w int", "CREATE INDEX t_v ON t (v)"});
  const auto finished = trial_.run();
  ASSERT_EQ(finished.code(), 0) << finished.out << finished.err;
  EXPECT_TRUE(has_column("w"));
  EXPECT_EQ(trial_.logged("warning").size(), 2U);
  EXPECT_EQ(trial_.run().code(), 0);
}

TEST_F(ExistingObjects, WhatLaterStatementsOfTheStepChangedIsEqualToo) {
  trial_.db().exec("ALTER TABLE t ADD COLUMN v int; ALTER TABLE t ALTER COLUMN v SET DEFAULT 0");
  job({"ALTER TABLE t ADD COLUMN v int", "ALTER TABLE t ALTER COLUMN v SET DEFAULT 0"});
  const auto finished = trial_.run();
  EXPECT_EQ(finished.code(), 0) << finished.out << finished.err;
}

TEST_F(ExistingObjects, AnEqualIndexIsTakenAsDoneAndAnotherRefused) {
  expect_taken("CREATE INDEX t_n ON t (n DESC) WHERE n > 0", {"CREATE INDEX t_n ON t (n DESC) WHERE n > 0"},
               "t_n");
  trial_.db().exec("DROP SCHEMA pgsluice CASCADE");
  expect_refused("CREATE INDEX other ON t (n)", "CREATE INDEX other ON t (n DESC)",
                 {"\"other\"", "another one", "(n)"});
}

TEST_F(ExistingObjects, AnEqualCheckIsTakenAsDoneAndAnotherRefused) {
  expect_taken("ALTER TABLE t ADD CONSTRAINT low CHECK (n < 100)",
               {"ALTER TABLE t ADD CONSTRAINT low CHECK (n<100) NOT VALID"}, "constraint \\\"low\\\"");
  trial_.db().exec("DROP SCHEMA pgsluice CASCADE");
  expect_refused("ALTER TABLE t ADD CONSTRAINT high CHECK (n > 0)",
                 "ALTER TABLE t ADD CONSTRAINT high CHECK (n > 1)", {"CHECK ((n > 0))", "CHECK ((n > 1))"});
}

TEST_F(ExistingObjects, AnEqualForeignKeyIsTakenAsDoneAndAnotherRefused) {
  expect_taken("ALTER TABLE t ADD CONSTRAINT up FOREIGN KEY (n) REFERENCES parent ON DELETE CASCADE",
               {"ALTER TABLE t ADD CONSTRAINT up FOREIGN KEY (n) REFERENCES parent (id) ON DELETE CASCADE"},
               "constraint \\\"up\\\"");
  trial_.db().exec("DROP SCHEMA pgsluice CASCADE; CREATE TABLE stranger (id int PRIMARY KEY)");
  expect_refused("",
                 "ALTER TABLE t ADD CONSTRAINT up FOREIGN KEY (n) REFERENCES stranger (id) ON DELETE CASCADE",
                 {"REFERENCES public.parent (id)", "REFERENCES public.stranger (id)"});
}

TEST_F(ExistingObjects, AnEqualPrimaryKeyIsTakenAsDone) {
  trial_.db().exec("CREATE TABLE k (id int PRIMARY KEY)");
  expect_taken("", {"ALTER TABLE k ADD PRIMARY KEY (id)"}, "constraint \\\"k_pkey\\\"");
}

TEST_F(ExistingObjects, AnEqualTableIsTakenAsDoneAlsoWithMoreColumns) {
  const std::string table =
      "CREATE TABLE made (id bigserial PRIMARY KEY, t int REFERENCES t (id), s text NOT NULL DEFAULT 'x' "
      "UNIQUE)";
  expect_taken(table + "; ALTER TABLE made ADD COLUMN later int", {table}, "made");
}

TEST_F(ExistingObjects, AnotherTableIsRefused) {
  expect_refused("CREATE TABLE made (id int, s varchar(20))", "CREATE TABLE made (id int, s text, u int)",
                 {"column \"s\" is there as character varying(20)", "column \"u\" is not there"});
}

TEST_F(ExistingObjects, AViewIsNoTable) {
  expect_refused("CREATE VIEW made AS SELECT 1 AS id", "CREATE TABLE made (id int)",
                 {"a view", "an ordinary table"});
}

TEST_F(ExistingObjects, AnEqualFunctionIsTakenAsDoneAndAnotherRefused) {
  const std::string head = "CREATE FUNCTION twice(a int) RETURNS int LANGUAGE sql IMMUTABLE AS ";
  expect_taken(head + "'SELECT 2 * a'", {head + "'SELECT 2 * a'"}, "twice");
  trial_.db().exec("DROP SCHEMA pgsluice CASCADE");
  expect_refused("", head + "'SELECT a + a'", {"SELECT 2 * a", "SELECT a + a"});
}

TEST_F(ExistingObjects, AnotherSignatureIsAnotherFunction) {
  trial_.db().exec("CREATE FUNCTION twice(a text) RETURNS text LANGUAGE sql AS 'SELECT a || a'");
  job({"CREATE FUNCTION twice(a int) RETURNS int LANGUAGE sql AS 'SELECT 2 * a'"});
  EXPECT_EQ(trial_.run().code(), 0);
  EXPECT_EQ(trial_.db().number("SELECT count(*) FROM pg_proc WHERE proname = 'twice'"), 2);
}

TEST_F(ExistingObjects, WhatTheStepItselfDropsFirstMayBeDifferent) {
  trial_.db().exec("ALTER TABLE t ADD COLUMN v int");
  job({"ALTER TABLE t DROP COLUMN v", "ALTER TABLE t ADD COLUMN v text"});
  const auto finished = trial_.run();
  EXPECT_EQ(finished.code(), 0) << finished.out << finished.err;
}

TEST_F(ExistingObjects, OfALockedTableAreLeftToTheStep) {
  trial_.db().exec("ALTER TABLE t ADD COLUMN v int");
  job({"ALTER TABLE t ADD COLUMN v int"});
  Db locker(trial_.dsn());
  locker.exec("BEGIN; LOCK TABLE t");
  const auto check = trial_.verb("check");
  EXPECT_EQ(check.code(), 0) << check.out << check.err;
  locker.exec("COMMIT");
  EXPECT_EQ(trial_.run().code(), 0);
}

TEST_F(ExistingObjects, OfARunKilledAfterItsCommitAreNotTakenForSomebodyElses) {
  job({"ALTER TABLE t ADD COLUMN v int", "ALTER TABLE t ALTER COLUMN v TYPE bigint"},
      "ALTER TABLE t DROP COLUMN v");
  auto command = trial_.command("run");
  command.env["PGSLUICE_FAILPOINT"] = "after_ddl_commit:1";
  EXPECT_NE(test::run(command).code(), 0);
  ASSERT_TRUE(has_column("v"));
  const auto finished = trial_.run();
  EXPECT_EQ(finished.code(), 0) << finished.out << finished.err;
  ASSERT_EQ(trial_.verb("rollback").code(), 0);
  EXPECT_FALSE(has_column("v")) << "the job made it";
}

TEST_F(ExistingObjects, StayWhenAStepThatMadeNothingIsRolledBack) {
  trial_.db().exec("ALTER TABLE t ADD COLUMN v int; UPDATE t SET v = id");
  job({"ALTER TABLE t ADD COLUMN v int"}, "ALTER TABLE t DROP COLUMN v");
  ASSERT_EQ(trial_.run().code(), 0);
  const auto finished = trial_.verb("rollback");
  ASSERT_EQ(finished.code(), 0) << finished.out << finished.err;
  EXPECT_TRUE(has_column("v"));
  EXPECT_THAT(finished.out, HasSubstr("was there before and stays"));
  EXPECT_EQ(trial_.db().text("SELECT state FROM pgsluice.job"), "rolled back");
}

TEST_F(ExistingObjects, AreDroppedWithTheRestOfAHalfAppliedStepOnlyAfterSayingSo) {
  trial_.db().exec("ALTER TABLE t ADD COLUMN v int");
  job({"ALTER TABLE t ADD COLUMN v int", "ALTER TABLE t ADD COLUMN w int"},
      "ALTER TABLE t DROP COLUMN v, DROP COLUMN w");
  ASSERT_EQ(trial_.run().code(), 0);
  const auto finished = trial_.verb("rollback");
  ASSERT_EQ(finished.code(), 0) << finished.out << finished.err;
  EXPECT_FALSE(has_column("v"));
  EXPECT_FALSE(has_column("w"));
  const auto told = finished.out.find("`down` is sent all the same");
  EXPECT_LT(told, finished.out.find("DROP COLUMN v")) << finished.out;
}

}  // namespace
}  // namespace pgsluice::test
