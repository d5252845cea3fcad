// Goal: what cannot go well is refused before the first write, with the object's name, a way out and the
// right exit code. Method: the real program against tables, roles and servers that are wrong in one way each.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "pg/trial.hpp"
#include "support/environment.hpp"
#include "support/server_user.hpp"

namespace pgsluice::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct Case {
  const char* setup;
  std::string job;
  int code;
  const char* message;
  const char* hint;
};

/// Each case in an empty database: refused, and nothing is written.
void expect_refused(const std::vector<Case>& cases) {
  Trial trial;
  for (const auto& each : cases) {
    SCOPED_TRACE(each.job);
    trial.db().exec("DROP SCHEMA public CASCADE; CREATE SCHEMA public; DROP SCHEMA IF EXISTS shop CASCADE");
    trial.db().exec(each.setup);
    trial.job(each.job);
    const auto finished = trial.run();
    EXPECT_EQ(finished.code(), each.code) << finished.out << finished.err;
    const auto refusal = refusal_of(finished);
    EXPECT_EQ(refusal.code, each.code);
    EXPECT_THAT(refusal.message, HasSubstr(each.message));
    EXPECT_THAT(refusal.hint, HasSubstr(each.hint));
    EXPECT_TRUE(trial.is_untouched());
  }
}

TEST(Refusal, NamesAKeyThatCannotBeWalked) {
  const std::string t = backfill_job("t", "v = 1");
  const std::string by_id = backfill_job("t", "v = 1", "key = [\"id\"]");
  expect_refused({
      {"CREATE TABLE t (id int, v int)", t, 5, "table \"public.t\" has no key to walk", "add a primary key"},
      {"CREATE TABLE t (id int UNIQUE, v int)", t, 5, "t_id_key: a column of it may be NULL", "NOT NULL"},
      {"CREATE TABLE t (id int UNIQUE, v int)", by_id, 5, "key (\"id\") of table \"t\" cannot be walked",
       "SET NOT NULL"},
      {"CREATE TABLE t (id int NOT NULL, v int); CREATE INDEX ON t (id)", by_id, 5, "is not unique",
       "unique index on exactly these columns"},
      {"CREATE TABLE t (id int PRIMARY KEY, v int)", backfill_job("t", "v = 1", "key = [\"nr\"]"), 5,
       "table \"t\" has no column \"nr\"", "`key`"},
  });
}

TEST(Refusal, NamesATableThatIsNone) {
  expect_refused({
      {"CREATE TABLE t (id int PRIMARY KEY, v int); CREATE VIEW seen AS SELECT * FROM t",
       backfill_job("seen", "v = 1"), 5, "\"public.seen\" is a view", "name the table itself"},
      {"CREATE TABLE \"Users\" (id int PRIMARY KEY, v int)", backfill_job("users", "v = 1"), 5,
       "table \"users\" does not exist", "there is public.Users"},
      {"CREATE SCHEMA shop; CREATE TABLE shop.users (id int PRIMARY KEY)",
       backfill_job("public.users", "v = 1"), 5, "table \"public.users\" does not exist",
       "there is shop.users"},
      {"", backfill_job("nowhere", "v = 1"), 5, "table \"nowhere\" does not exist", "check the name"},
  });
}

TEST(Refusal, NamesAColumnThatCannotBeSet) {
  const auto table =
      "CREATE TABLE t (id int PRIMARY KEY, v int, twice int GENERATED ALWAYS AS (v * 2) STORED)";
  expect_refused({
      {table, backfill_job("t", "w = 1"), 5, "table \"t\" has no column \"w\"", "check its spelling"},
      {table, backfill_job("t", "twice = 1"), 5, "column \"twice\" of table \"t\" is generated",
       "PostgreSQL computes"},
      {table, backfill_job("t", "id = \"id + 1\""), 5, "column \"id\" belongs to the key",
       "name another unique key"},
      {table, backfill_job("t", "v = \"lower(v)\""), 5, "lower(integer) does not exist",
       "check the expressions"},
      {table, backfill_job("t", "v = 1", "where = \"nr > 5\""), 5, "column \"nr\" does not exist",
       "check the expressions"},
  });
}

TEST(Refusal, OfOneStepKeepsTheStepsBeforeItFromRunning) {
  expect_refused(
      {{"CREATE TABLE t (id int PRIMARY KEY)",
        "name = \"j\"\n[[step]]\nkind = \"sql\"\nname = \"add\"\nup = \"ALTER TABLE t ADD COLUMN v int\"\n"
        "[[step]]\nkind = \"backfill\"\nname = \"fill\"\ntable = \"t\"\nset = { w = 1 }\n",
        5, "table \"t\" has no column \"w\"", "add it in a sql step"}});
}

/// Refused by the parser of expressions: with flags a matter of usage, in a file a mistake of the file.
TEST(Refusal, OfAnExpressionThatIsMoreThanOneTouchesNoTable) {
  const std::pair<const char*, const char*> kCases[] = {
      {"1) ; drop table x; --", "one expression"},
      {"1); DROP TABLE x", "one expression"},
      {"count(*)", "the aggregate count"},
      {"row_number() OVER ()", "the window function row_number"},
      {"$1", "the parameter $1"},
      {"DEFAULT", "DEFAULT"},
  };
  Trial trial;
  trial.db().exec("CREATE TABLE x (id int PRIMARY KEY, v int); INSERT INTO x VALUES (1, 7)");
  for (const auto& [expression, reason] : kCases) {
    SCOPED_TRACE(expression);
    const auto with_flags =
        test::run(pgsluice({"backfill", "--table", "x", "--set", std::string("v = ") + expression, "--dsn",
                            trial.dsn(), "--json"}));
    EXPECT_EQ(with_flags.code(), 2) << with_flags.err;
    EXPECT_THAT(with_flags.err, HasSubstr("--set: error: "));
    trial.job(backfill_job("x", std::string("v = \"") + expression + "\""));
    const auto with_file = trial.run();
    EXPECT_EQ(with_file.code(), 78) << with_file.err;
    EXPECT_THAT(with_file.err, AllOf(HasSubstr("job.toml:7:"), HasSubstr("hint: ")));
    EXPECT_EQ(refusal_of(with_file).code, 78);
  }
  EXPECT_EQ(trial.db().number("SELECT v FROM x"), 7);
  EXPECT_TRUE(trial.is_untouched());
}

TEST(Expression, MayLookAValueUpInAnotherTable) {
  Trial trial;
  trial.db().exec(
      "CREATE TABLE country (code text PRIMARY KEY, vat int); INSERT INTO country VALUES ('de', 19), ('fr', "
      "20);"
      "CREATE TABLE t (id int PRIMARY KEY, code text, vat int);"
      "INSERT INTO t SELECT n, CASE WHEN n % 2 = 0 THEN 'de' ELSE 'fr' END FROM generate_series(1, 500) n");
  trial.job(backfill_job("t", "vat = \"(SELECT c.vat FROM country c WHERE c.code = t.code)\""));
  const auto finished = trial.run();
  EXPECT_EQ(finished.code(), 0) << finished.err;
  EXPECT_EQ(trial.db().number("SELECT sum(vat) FROM t"), 250 * 19 + 250 * 20);
}

TEST(Expression, MayBeVolatileAndPlanWarns) {
  Trial trial;
  trial.db().exec(
      "CREATE TABLE t (id int PRIMARY KEY, v uuid); INSERT INTO t SELECT generate_series(1, 500)");
  trial.job(backfill_job("t", "v = \"gen_random_uuid()\""));
  const auto plan = run_ok(trial.text_command("plan"));
  EXPECT_THAT(plan, HasSubstr("gen_random_uuid is volatile: each row gets its own value"));
  EXPECT_TRUE(trial.is_untouched());
  EXPECT_EQ(trial.run().code(), 0);
  EXPECT_EQ(trial.db().number("SELECT count(DISTINCT v) FROM t"), 500);
}

TEST(Refusal, OfAChangedDefinitionShowsTheDifference) {
  Trial trial;
  trial.db().exec("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT generate_series(1, 100)");
  trial.job(backfill_job("t", "v = 1"));
  ASSERT_EQ(trial.run().code(), 0);
  trial.job(backfill_job("t", "v = 2", "where = \"v = 1\""));
  const auto finished = trial.run();
  EXPECT_EQ(finished.code(), 5);
  const auto refusal = refusal_of(finished);
  EXPECT_THAT(refusal.message,
              AllOf(HasSubstr("job \"fill\" exists with another definition"), HasSubstr("\n  - "),
                    HasSubstr("\n  + "), HasSubstr("v = 1"), HasSubstr("v = 2")));
  EXPECT_THAT(refusal.hint, HasSubstr("another name"));
  EXPECT_EQ(trial.db().number("SELECT sum(v) FROM t"), 100);
}

TEST(Definition, MayChangeItsTunables) {
  Trial trial;
  trial.db().exec("CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT generate_series(1, 100)");
  trial.job(backfill_job("t", "v = 1"));
  ASSERT_EQ(trial.run().code(), 0);
  trial.job(
      backfill_job("t", "v = 1", "",
                   "description = \"again\"\nmax_quarantined = 5\n[pool]\nlanes = 1\n[batch]\nrows = 60"));
  const auto finished = trial.run();
  EXPECT_EQ(finished.code(), 0) << finished.err;
}

TEST(Refusal, OfAJobFileTellsEveryMistakeWithItsPlace) {
  Trial trial;
  trial.job(
      "name = \"Not A Name\"\n"                                                        // 1
      "descripton = \"misspelt\"\n"                                                    // 2
      "max_quarantined = -1\n"                                                         // 3
      "[pool]\nlanes = \"many\"\n"                                                     // 5
      "[batch]\ntarget = 100\nrows = 0\n"                                              // 7, 8
      "[throttle]\nreplica_lag_bytes = \"64 apples\"\n"                                // 10
      "[window]\nbetween = [\"22:00\", \"29:00\"]\n"                                   // 12
      "[[step]]\nkind = \"trigger\"\nname = \"a\"\n"                                   // 14
      "[[step]]\nkind = \"sql\"\nname = \"b\"\nup = \"VACUUM t\"\n"                    // 19
      "[[step]]\nkind = \"sql\"\nname = \"b\"\nup = \"SELEC 1\"\n"                     // 22, 23
      "[[step]]\nkind = \"index\"\nname = \"c\"\nsql = \"CREATE INDEX i ON t (v)\"\n"  // 27
      "[[step]]\nkind = \"backfill\"\nname = \"d\"\ntable = \"a.b.c.d\"\nset = { v = \"sum(v)\" }\n"  // 31,
                                                                                                      // 32
      "[[step]]\nkind = \"verify\"\nname = \"e\"\nquery = \"DELETE FROM t\"\n");  // 33, 36
  const auto finished = trial.run();
  EXPECT_EQ(finished.code(), 78);
  std::vector<int> lines;
  std::istringstream text(finished.err);
  for (std::string line; std::getline(text, line);) {
    const auto at = line.find("job.toml:");
    int row = 0;
    int column = 0;
    if (at == std::string::npos) continue;
    if (std::sscanf(line.c_str() + at, "job.toml:%d:%d: error: ", &row, &column) == 2) lines.push_back(row);
    EXPECT_GE(column, 1) << line;
  }
  EXPECT_THAT(lines, testing::ElementsAre(1, 2, 3, 5, 7, 8, 10, 12, 14, 19, 22, 23, 27, 31, 32, 33, 36))
      << finished.err;
  EXPECT_THAT(refusal_of(finished).message, HasSubstr("17 mistakes in"));
  EXPECT_TRUE(trial.is_untouched());
}

TEST(Refusal, OfAServerThatIsDownComesSoonAndSaysWhere) {
  PrivateServer server;
  Trial trial(server);
  trial.job(backfill_job("t", "v = 1"));
  server.stop();
  for (const char* verb : {"run", "plan", "check", "status"}) {
    SCOPED_TRACE(verb);
    const auto finished = trial.verb(verb);
    EXPECT_EQ(finished.code(), 69) << finished.err;
    const auto refusal = refusal_of(finished);
    EXPECT_THAT(refusal.message, HasSubstr(server.socket_folder().string()));
    EXPECT_THAT(refusal.hint, Not(testing::IsEmpty()));
  }
  server.start();
  EXPECT_TRUE(Trial(server).is_untouched());
}

// ----- privileges

class Privileges : public testing::Test {
 protected:
  void expect_privileges(const std::string& message, const std::string& hint) {
    const auto finished = trial_.run();
    EXPECT_EQ(finished.code(), 77) << finished.err;
    const auto refusal = refusal_of(finished);
    EXPECT_THAT(refusal.message, HasSubstr(message));
    EXPECT_THAT(refusal.hint, HasSubstr(hint));
    EXPECT_TRUE(trial_.is_untouched());
  }

  Trial trial_;
};

TEST_F(Privileges, MissingPgMonitorIsRefusedWithTheGrant) {
  const auto role = trial_.make_role("blind", false);
  trial_.db().exec("CREATE TABLE t (id int PRIMARY KEY, v int); GRANT ALL ON t TO " + role);
  trial_.connect_as(trial_.dsn(role));
  trial_.job(backfill_job("t", "v = 1"));
  expect_privileges(role, "GRANT pg_monitor TO \"" + role + "\"");
}

TEST_F(Privileges, MissingUpdateIsRefused) {
  const auto role = trial_.make_role("reader");
  trial_.db().exec("CREATE TABLE t (id int PRIMARY KEY, v int); GRANT SELECT ON t TO " + role);
  trial_.connect_as(trial_.dsn(role));
  trial_.job(backfill_job("t", "v = 1"));
  expect_privileges("permission denied for table t", "GRANT");
}

TEST_F(Privileges, UpdateOfTheColumnAloneIsEnough) {
  const auto role = trial_.make_role("filler");
  trial_.db().exec(
      "CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT generate_series(1, 100);"
      "GRANT SELECT, UPDATE (v) ON t TO " +
      role);
  trial_.connect_as(trial_.dsn(role));
  trial_.job(backfill_job("t", "v = 1"));
  const auto finished = trial_.run();
  EXPECT_EQ(finished.code(), 0) << finished.err;
}

TEST_F(Privileges, RowSecurityThatHidesRowsIsRefused) {
  const auto role = trial_.make_role("tenant");
  trial_.db().exec("CREATE TABLE t (id int PRIMARY KEY, v int); GRANT ALL ON t TO " + role +
                   "; ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON t USING (id < 10)");
  trial_.connect_as(trial_.dsn(role));
  trial_.job(backfill_job("t", "v = 1"));
  expect_privileges("row security of table \"public.t\"", "BYPASSRLS");
}

TEST_F(Privileges, RowSecurityForcedOnTheOwnerIsRefusedToo) {
  const auto role = trial_.make_role("owner");
  trial_.db().exec("CREATE TABLE t (id int PRIMARY KEY, v int); ALTER TABLE t OWNER TO " + role +
                   "; ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY");
  trial_.connect_as(trial_.dsn(role));
  trial_.job(backfill_job("t", "v = 1"));
  expect_privileges("row security of table \"public.t\"", "BYPASSRLS");
}

TEST_F(Privileges, MissingCreateForTheLedgerIsRefusedWithTheGrant) {
  const auto role = trial_.make_role("guest");
  trial_.db().exec("REVOKE CREATE ON DATABASE " + trial_.database() + " FROM " + role +
                   "; CREATE TABLE t (id int PRIMARY KEY, v int); GRANT ALL ON t TO " + role);
  trial_.connect_as(trial_.dsn(role));
  trial_.job(backfill_job("t", "v = 1"));
  expect_privileges("cannot create the ledger", "GRANT CREATE ON DATABASE");
}

TEST_F(Privileges, DdlOnATableOfAnotherIsRefused) {
  const auto role = trial_.make_role("neighbour");
  trial_.db().exec("CREATE TABLE t (id int PRIMARY KEY, v int); GRANT ALL ON t TO " + role);
  trial_.connect_as(trial_.dsn(role));
  trial_.job(
      "name = \"j\"\n[[step]]\nkind = \"sql\"\nname = \"add\"\nup = \"ALTER TABLE t ADD COLUMN w int\"\n");
  expect_privileges("ALTER TABLE is reserved for the owner of table \"public.t\"", "run as the owner");
}

// ----- passwords

constexpr const char* kRight = "c0rrect-h0rse";
constexpr const char* kWrong = "wr0ng-battery";

/// A server on which one role needs its password.
class Password : public testing::Test {
 protected:
  Password() : trial_(server_) {
    trial_.db().exec(std::string("CREATE ROLE keyholder LOGIN PASSWORD '") + kRight +
                     "'; GRANT pg_monitor TO keyholder; GRANT CREATE ON DATABASE " + trial_.database() +
                     " TO keyholder; CREATE TABLE t (id int PRIMARY KEY, v int);"
                     "INSERT INTO t SELECT generate_series(1, 3000); GRANT ALL ON t TO keyholder");
    const auto path = server_.data_folder() / "pg_hba.conf";
    const auto before = read_file(path);
    std::ofstream(path) << "local all keyholder scram-sha-256\n" << before;
    server_.set("log_min_messages", "warning");  // reloads pg_hba.conf as well
  }

  std::string settings(const std::string& password) const {
    return trial_.dsn("keyholder") + " password=" + password;
  }
  std::string uri(const std::string& password) const {
    return "postgresql://keyholder:" + password + "@/" + trial_.database() +
           "?host=" + server_.socket_folder().string();
  }

  PrivateServer server_;
  Trial trial_;
};

TEST_F(Password, ThatIsWrongEndsWith77AndIsShownNowhere) {
  trial_.job(backfill_job("t", "v = 1"));
  for (const auto& dsn : {settings(kWrong), uri(kWrong)}) {
    trial_.connect_as(dsn);
    for (const char* verb : {"run", "status"}) {
      for (const auto& finished : {trial_.verb(verb), test::run(trial_.text_command(verb))}) {
        EXPECT_EQ(finished.code(), 77) << finished.err;
        EXPECT_THAT(finished.err, HasSubstr("password authentication failed for user \"keyholder\""));
        EXPECT_THAT(finished.err, HasSubstr("hint"));
        EXPECT_THAT(finished.out + finished.err, Not(HasSubstr(kWrong)));
      }
    }
  }
  EXPECT_TRUE(trial_.is_untouched());
}

TEST_F(Password, OfAnotherDatabaseIsShownNowhereEither) {
  trial_.job("dsn = \"" + server_.dsn("nowhere", "keyholder") + " password=" + kRight + "\"\n" +
             backfill_job("t", "v = 1"));
  auto command = trial_.command("run");
  std::erase(command.args, "--dsn");
  std::erase(command.args, trial_.dsn());
  const auto finished = test::run(command);
  EXPECT_EQ(finished.code(), 69) << finished.err;
  EXPECT_THAT(finished.err, HasSubstr("database \"nowhere\" does not exist"));
  EXPECT_THAT(finished.out + finished.err, Not(HasSubstr(kRight)));
}

TEST_F(Password, IsNeitherInTheProcessListNorInTheLedgerNorInTheServersLog) {
  trial_.job(backfill_job("t", "v = 1"));
  for (const auto& dsn : {settings(kRight), uri(kRight)}) {
    trial_.db().exec("DROP SCHEMA IF EXISTS pgsluice CASCADE");
    trial_.db().exec("BEGIN; SELECT * FROM t WHERE id = 3000 FOR UPDATE");
    trial_.connect_as(dsn);
    Process process(trial_.command("run", {"--log-batches"}));
    const auto is_held = [&] {
      return Db(trial_.dsn()).yes("SELECT to_regclass('pgsluice.event') IS NOT NULL") &&
             Db(trial_.dsn()).yes("SELECT count(*) > 0 FROM pgsluice.event WHERE type = 'batch_failed'");
    };
    wait_for(is_held, "the run to wait for our row");
    const auto command_line = read_file("/proc/" + std::to_string(process.pid()) + "/cmdline");
    EXPECT_THAT(command_line, AllOf(HasSubstr("keyholder"), Not(HasSubstr(kRight))));
    trial_.db().exec("COMMIT");
    EXPECT_EQ(process.wait().code, 0) << process.err();
    EXPECT_THAT(process.out() + process.err(), Not(HasSubstr(kRight)));
    const auto dump =
        run_ok({postgres_program("pg_dump"), {"--data-only", "--schema=pgsluice", trial_.dsn()}});
    EXPECT_THAT(dump, AllOf(HasSubstr("run_started"), Not(HasSubstr(kRight))));
  }
  EXPECT_THAT(server_.log_text(), Not(HasSubstr(kRight)));
}

}  // namespace
}  // namespace pgsluice::test
