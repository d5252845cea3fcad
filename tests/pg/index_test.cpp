// Goal: an index step ends with a valid index of that name on that table, whatever it found and however often
// it was interrupted, or refuses and touches nothing. Method: real builds, held in the middle by an open
// transaction, which a concurrent build has to wait for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/trial.hpp"
#include "support/environment.hpp"
#include "support/pgbouncer.hpp"
#include "support/shared_server.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

std::string index_job(const std::string& settings = {}) {
  return "name = \"build\"\n" + settings +
         "[[step]]\nkind = \"index\"\nname = \"build\"\nsql = \"CREATE INDEX CONCURRENTLY IF NOT EXISTS t_v "
         "ON t (v)\"\n";
}

class Index : public testing::Test {
 protected:
  Index() : other_(trial_.dsn()) {
    trial_.db().exec(
        "CREATE TABLE t (id int PRIMARY KEY, v int);"
        "INSERT INTO t SELECT n, n % 100 FROM generate_series(1, 5000) n; ANALYZE t");
    trial_.job(index_job());
  }

  /// A transaction that has changed the table: no concurrent build ends before it.
  void hold_builds() { other_.exec("BEGIN; UPDATE t SET v = v WHERE id = 1"); }
  void let_go() { other_.exec("COMMIT"); }

  void await_build() {
    wait_for(
        [&] {
          return trial_.db().yes(
              "SELECT count(*) = 1 FROM pg_stat_progress_create_index"
              " WHERE relid = 't'::regclass AND phase LIKE 'waiting%'");
        },
        "a build that waits");
  }

  /// "t" when the index is valid, "f" when it is INVALID.
  std::string validity() {
    return trial_.db().text(
        "SELECT indisvalid FROM pg_index WHERE indexrelid = 't_v'::regclass AND indrelid = 't'::regclass");
  }
  std::vector<std::string> statements() {
    std::vector<std::string> texts;
    for (const auto& event : trial_.logged("statement")) texts.push_back(event.at("sql"));
    return texts;
  }

  Trial trial_;
  Db other_;
};

TEST_F(Index, IsBuiltAndLogged) {
  const auto finished = trial_.run();
  EXPECT_EQ(finished.code(), 0) << finished.err;
  EXPECT_EQ(validity(), "t");
  EXPECT_THAT(statements(), testing::ElementsAre("CREATE INDEX CONCURRENTLY IF NOT EXISTS t_v ON t (v)"));
}

TEST_F(Index, ThatIsThereAndValidIsLeftAlone) {
  trial_.db().exec("CREATE INDEX t_v ON t (v)");
  EXPECT_EQ(trial_.run().code(), 0);
  EXPECT_THAT(statements(), IsEmpty());
  EXPECT_EQ(trial_.verb("rollback").code(), 0);  // it was there before us
  EXPECT_EQ(validity(), "t");
}

TEST_F(Index, OfThatNameWithAnotherDefinitionIsRefused) {
  for (const char* other : {"ON t (id)", "ON t (v, id)", "ON t (v DESC)", "ON t (v) WHERE v > 3",
                            "ON t (v) INCLUDE (id)", "ON t USING hash (v)", "ON t ((v + 1))"}) {
    SCOPED_TRACE(other);
    trial_.db().exec(std::string("CREATE INDEX t_v ") + other);
    const auto refused = trial_.run();
    EXPECT_EQ(refused.code(), 5) << refused.out << refused.err;
    EXPECT_THAT(refusal_of(refused).message, HasSubstr("differs from the one in step"));
    EXPECT_EQ(trial_.verb("check").code(), 5);
    EXPECT_EQ(validity(), "t");
    trial_.db().exec("DROP INDEX t_v");
  }
  EXPECT_EQ(trial_.run().code(), 0);
}

TEST_F(Index, OfThatNameThatTakesNullsForEqualIsAnotherOne) {
  trial_.job(
      "name = \"build\"\n[[step]]\nkind = \"index\"\nname = \"build\"\n"
      "sql = \"CREATE UNIQUE INDEX CONCURRENTLY t_v ON t (v)\"\n");
  trial_.db().exec("DELETE FROM t; CREATE UNIQUE INDEX t_v ON t (v) NULLS NOT DISTINCT");
  EXPECT_EQ(trial_.run().code(), 5);
  trial_.db().exec("DROP INDEX t_v; CREATE UNIQUE INDEX t_v ON t (v)");
  EXPECT_EQ(trial_.run().code(), 0);
}

TEST_F(Index, OfThatNameIsTheSameHoweverItIsWritten) {
  trial_.job(
      "name = \"build\"\n[[step]]\nkind = \"index\"\nname = \"build\"\nsql = '''CREATE UNIQUE INDEX "
      "CONCURRENTLY "
      "t_v ON public.\"t\" USING btree ((lower(t.w)), v DESC) WHERE w IN ('a', 'b') AND v > 3;'''\n");
  trial_.db().exec("ALTER TABLE t ADD gone int, ADD w varchar(9); ALTER TABLE t DROP gone");
  trial_.db().exec(
      "CREATE UNIQUE INDEX t_v ON t (lower(w::text), v DESC NULLS FIRST) WHERE w IN ('a', 'b') AND v > 3");
  const auto finished = trial_.run();
  EXPECT_EQ(finished.code(), 0) << finished.out << finished.err;
  trial_.db().exec(
      "DROP INDEX t_v; CREATE INDEX t_v ON t (lower(w), v DESC) WHERE w IN ('a', 'b') AND v > 3;"
      "DELETE FROM pgsluice.job");
  EXPECT_EQ(trial_.run().code(), 5) << "it is not unique";
}

TEST_F(Index, LeftInvalidIsDroppedAndBuiltAgain) {
  hold_builds();
  Db builder(trial_.dsn());
  builder.exec("SET statement_timeout = '300ms'");
  EXPECT_ANY_THROW(builder.exec("CREATE INDEX CONCURRENTLY t_v ON t (v)"));
  let_go();
  ASSERT_EQ(validity(), "f");
  const auto leftover = trial_.db().text("SELECT 't_v'::regclass::oid");
  const auto finished = trial_.run();
  EXPECT_EQ(finished.code(), 0) << finished.err;
  EXPECT_EQ(validity(), "t");
  EXPECT_NE(trial_.db().text("SELECT 't_v'::regclass::oid"), leftover);
  EXPECT_THAT(statements(),
              testing::ElementsAre(HasSubstr("DROP INDEX CONCURRENTLY"), HasSubstr("CREATE INDEX")));
  EXPECT_THAT(trial_.logged("warning").at(0).at("message").get<std::string>(), HasSubstr("INVALID"));
}

TEST_F(Index, WhoseNameIsTakenIsRefused) {
  for (const char* taken : {"CREATE TABLE other (v int); CREATE INDEX t_v ON other (v)",
                            "CREATE TABLE t_v (v int)", "CREATE VIEW t_v AS SELECT 1 AS v"}) {
    SCOPED_TRACE(taken);
    trial_.db().exec(taken);
    const auto finished = trial_.run();
    EXPECT_EQ(finished.code(), 5) << finished.err;
    const auto refusal = refusal_of(finished);
    EXPECT_THAT(refusal.message, HasSubstr("the name \"public\".\"t_v\" belongs to something other than"));
    EXPECT_THAT(refusal.hint, HasSubstr("another name"));
    EXPECT_TRUE(trial_.is_untouched());
    trial_.db().exec(
        "DROP TABLE IF EXISTS other; DO $$ BEGIN EXECUTE (SELECT CASE relkind WHEN 'r' THEN 'DROP TABLE t_v' "
        "ELSE 'DROP VIEW t_v' END FROM pg_class WHERE relname = 't_v'); EXCEPTION WHEN others THEN END $$");
  }
}

TEST_F(Index, KilledWhileItIsBuiltIsFinishedByTheNextRun) {
  hold_builds();
  {
    Process process(trial_.command("run"));
    await_build();
    process.kill();
  }
  ASSERT_EQ(validity(), "f");
  // The orphaned backend builds on. The next run waits for it, or comes after it: either way no second index
  // is begun.
  Process again(trial_.command("run"));
  wait_for([&] { return trial_.db().number("SELECT count(*) FROM pgsluice.run") == 2; }, "the second run");
  let_go();
  EXPECT_EQ(again.wait().code, 0) << again.out() << again.err();
  EXPECT_EQ(validity(), "t");
  EXPECT_EQ(trial_.db().number("SELECT count(*) FROM pg_index WHERE indrelid = 't'::regclass"), 2);
}

TEST_F(Index, WhoseBackendDiedWithTheRunIsBuiltAgain) {
  hold_builds();
  {
    Process process(trial_.command("run"));
    await_build();
    process.kill();
  }
  trial_.db().exec("SELECT pg_terminate_backend(pid) FROM pg_stat_progress_create_index");
  let_go();
  wait_for([&] { return trial_.db().yes("SELECT count(*) = 0 FROM pg_stat_progress_create_index"); },
           "the backend's end");
  ASSERT_EQ(validity(), "f");
  const auto again = trial_.run();
  EXPECT_EQ(again.code(), 0) << again.err;
  EXPECT_EQ(validity(), "t");
  EXPECT_EQ(trial_.db().number("SELECT count(*) FROM pg_index WHERE indrelid = 't'::regclass"), 2);
}

TEST_F(Index, ThatCannotBeUniqueFailsWithTheReasonAndIsRepairedLater) {
  trial_.job(
      "name = \"unique\"\n[[step]]\nkind = \"index\"\nname = \"build\"\n"
      "sql = \"CREATE UNIQUE INDEX CONCURRENTLY t_v ON t (v)\"\n");
  const auto finished = trial_.run();
  EXPECT_EQ(finished.code(), 1) << finished.err;
  EXPECT_THAT(refusal_of(finished).message, AllOf(HasSubstr("23505"), HasSubstr("step \"build\"")));
  trial_.db().exec("UPDATE t SET v = id");
  EXPECT_EQ(trial_.run().code(), 0);
  EXPECT_EQ(validity(), "t");
}

TEST_F(Index, IsDroppedByRollbackIfTheJobBuiltIt) {
  ASSERT_EQ(trial_.run().code(), 0);
  EXPECT_EQ(trial_.verb("rollback").code(), 0);
  EXPECT_TRUE(trial_.db().yes("SELECT to_regclass('t_v') IS NULL"));
}

TEST_F(Index, ThroughAPoolerIsRefusedWithoutDirectDsn) {
  const Pgbouncer pooler(trial_.server());
  trial_.connect_as(pooler.dsn(trial_.database()));
  const auto finished = trial_.run();
  EXPECT_EQ(finished.code(), 5) << finished.err;
  const auto refusal = refusal_of(finished);
  EXPECT_THAT(refusal.message, AllOf(HasSubstr("index step \"build\""), HasSubstr("pooler")));
  EXPECT_THAT(refusal.hint, HasSubstr("direct_dsn"));
  EXPECT_TRUE(trial_.is_untouched());

  trial_.job(index_job("direct_dsn = \"" + trial_.dsn() + "\"\n"));
  const auto direct = trial_.run();
  EXPECT_EQ(direct.code(), 0) << direct.err;
  EXPECT_EQ(validity(), "t");
}

}  // namespace
}  // namespace pgsluice::test
