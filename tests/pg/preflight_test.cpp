// Preflight against a real server: each thing that would stop or harm a run is made to happen and must be
// found.
#include "engine/preflight/preflight.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kinds/definition_change/job_definition.hpp"
#include "kinds/planner.hpp"
#include "ledger/jobs.hpp"
#include "ledger/schema.hpp"
#include "pg/activity/health.hpp"
#include "pg/engine_jobs.hpp"
#include "support/pgbouncer.hpp"
#include "support/private_server.hpp"
#include "support/replica.hpp"
#include "support/shared_server.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::engine {
namespace {

using test::Db;
using test::job_of;
using test::session_on;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

using Level = Finding::Level;

/// A backfill of `table` that sets `set`, and more keys of the step.
std::string backfill(const std::string& table, const std::string& set, const std::string& more = {}) {
  return "name = \"j\"\n[[step]]\nkind = \"backfill\"\nname = \"fill\"\ntable = '" + table + "'\nset = { " +
         set + " }\n" + more + "\n";
}

std::vector<Finding> check(const std::string& dsn, const std::string& text) {
  auto session = session_on(dsn);
  return preflight(session, job_of(text), true);
}

/// Every finding of a level as "check: message | hint".
std::string found(const std::vector<Finding>& findings, Level level) {
  std::string all;
  for (const auto& f : findings) {
    if (f.level == level) all += f.check + ": " + f.message + " | " + f.hint + "\n";
  }
  return all;
}

std::string refused(const std::vector<Finding>& findings) {
  return found(findings, Level::kRefuse);
}
std::string warned(const std::vector<Finding>& findings) {
  return found(findings, Level::kWarn);
}
std::string told(const std::vector<Finding>& findings) {
  return found(findings, Level::kInform);
}

class PreflightTest : public ::testing::Test {
 protected:
  /// A role that nobody else has, with what it is granted.
  std::string role_dsn(const std::string& grants) {
    const auto role = "r_" + db_.text("SELECT current_database()");
    db_.exec("CREATE ROLE " + role + " LOGIN; GRANT ALL ON SCHEMA public TO " + role);
    std::string sql = grants;
    for (std::size_t at = 0; (at = sql.find("ROLE", at)) != std::string::npos;) sql.replace(at, 4, role);
    if (!sql.empty()) db_.exec(sql);
    role_ = role;
    return test::SharedServer::get().dsn(db_.text("SELECT current_database()"), role);
  }

  std::string dsn_ = test::fresh_database();
  Db db_{dsn_};
  std::string role_;
};

TEST_F(PreflightTest, FindsNothingWrongWithAnOrdinaryJob) {
  test::make_users(db_);
  const auto findings = check(dsn_, test::onboarding_text());
  EXPECT_EQ(refused(findings), "");
  EXPECT_EQ(warned(findings), "");
  EXPECT_THAT(told(findings),
              HasSubstr("key: step \"fill\" walks along (\"id\"): primary key \"users_pkey\""));
  EXPECT_THAT(told(findings), HasSubstr("size: table \"public.users\" has about 10,000 rows"));
  EXPECT_EQ(db_.number("SELECT count(*) FROM pg_namespace WHERE nspname = 'pgsluice'"), 0);
}

TEST_F(PreflightTest, PutsTheWorstFirst) {
  test::make_users(db_);
  const auto findings =
      check(dsn_, backfill("users", "plan = \"random()\"") +
                      "[[step]]\nkind = \"backfill\"\nname = \"b\"\ntable = \"gone\"\nset = { a = \"1\" }\n");
  ASSERT_GE(findings.size(), 3U);
  EXPECT_EQ(findings.front().level, Level::kRefuse);
  EXPECT_EQ(findings.back().level, Level::kInform);
}

TEST_F(PreflightTest, SeesThatABatchUsesTheKeysIndex) {
  test::make_users(db_);
  EXPECT_THAT(told(check(dsn_, backfill("users", "plan = \"1\""))),
              HasSubstr("a batch finds its rows by index \"users_pkey\""));
}

TEST_F(PreflightTest, WarnsOfABatchThatWouldReadTheWholeTable) {
  test::make_users(db_, 200'000);
  db_.exec("ALTER DATABASE " + db_.text("SELECT current_database()") + " SET enable_indexscan = off");
  db_.exec("ALTER DATABASE " + db_.text("SELECT current_database()") + " SET enable_indexonlyscan = off");
  db_.exec("ALTER DATABASE " + db_.text("SELECT current_database()") + " SET enable_bitmapscan = off");
  EXPECT_THAT(warned(check(dsn_, backfill("users", "plan = \"1\""))),
              HasSubstr("plan: step \"fill\": a batch would not use index \"users_pkey\""));
}

TEST_F(PreflightTest, RefusesAStandby) {
  test::PrivateServer primary;
  test::Replica replica(primary);
  EXPECT_THAT(refused(check(replica.dsn(), test::onboarding_text())),
              HasSubstr("standby: the server is a standby"));
  EXPECT_THAT(
      told(check(
          primary.dsn(),
          "name = \"j\"\n[[step]]\nkind = \"verify\"\nname = \"v\"\nquery = \"SELECT 1\"\nexpect = 1\n")),
      HasSubstr("replicas: replica \"replica1\" is streaming"));
}

TEST_F(PreflightTest, RefusesARoleThatMayOnlyReadAndSaysWhatTakesItBack) {
  test::make_users(db_);
  const auto database = db_.text("SELECT current_database()");
  const auto dsn = role_dsn("GRANT pg_monitor TO ROLE; GRANT CREATE ON DATABASE " + database +
                            " TO ROLE; ALTER TABLE users OWNER TO ROLE");
  const std::string setting = " SET default_transaction_read_only = on";
  const std::string reset = " RESET default_transaction_read_only";
  for (const auto& where : {"ALTER ROLE " + role_, "ALTER DATABASE " + database,
                            "ALTER ROLE " + role_ + " IN DATABASE " + database}) {
    db_.exec(where + setting);
    EXPECT_THAT(refused(check(dsn, test::onboarding_text())),
                AllOf(HasSubstr("read only: transactions of this role are read-only here"),
                      HasSubstr(where + reset)));
    EXPECT_EQ(
        refused(check(dsn + " options='-c default_transaction_read_only=off'", test::onboarding_text())), "");
    db_.exec(where + reset);
  }
  EXPECT_EQ(refused(check(dsn, test::onboarding_text())), "");
}

TEST_F(PreflightTest, WarnsOfOrphansOnlyWhereThereAreSome) {
  const std::string retype =
      "name = \"j\"\n[[step]]\nkind = \"retype\"\nname = \"ids\"\ntables = [\"a\"]\nto = \"bigint\"\n";
  db_.exec(
      "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, a_id int);"
      "ALTER TABLE b ADD FOREIGN KEY (a_id) REFERENCES a NOT VALID");
  EXPECT_THAT(warned(check(dsn_, retype)), Not(HasSubstr("orphans")));
  db_.exec(
      "ALTER TABLE b DISABLE TRIGGER ALL; INSERT INTO b VALUES (1, 7); ALTER TABLE b ENABLE TRIGGER ALL");
  EXPECT_THAT(warned(check(dsn_, retype)), HasSubstr("orphans: 1 "));
}

TEST_F(PreflightTest, RefusesWithoutPgMonitorAndPrintsTheGrant) {
  test::make_users(db_);
  const auto dsn = role_dsn("GRANT CREATE ON DATABASE " + db_.text("SELECT current_database()") +
                            " TO ROLE; ALTER TABLE users OWNER TO ROLE");
  const auto findings = check(dsn, test::onboarding_text());
  EXPECT_THAT(refused(findings), HasSubstr("| GRANT pg_monitor TO \"" + role_ + "\"\n"));
  EXPECT_EQ(findings.front().exit_code, 77);
}

TEST_F(PreflightTest, RefusesWhereTheLedgerCannotBeMadeOrUsed) {
  test::make_users(db_);
  const auto dsn = role_dsn("GRANT pg_monitor TO ROLE; ALTER TABLE users OWNER TO ROLE");
  EXPECT_THAT(refused(check(dsn, test::onboarding_text())),
              HasSubstr("ledger: role \"" + role_ + "\" cannot create the ledger"));
  auto session = session_on(dsn_);
  ledger::install(session);
  EXPECT_THAT(refused(check(dsn, test::onboarding_text())),
              HasSubstr("GRANT USAGE ON SCHEMA \"pgsluice\" TO \"" + role_ + "\"; GRANT SELECT"));
  db_.exec("GRANT USAGE ON SCHEMA pgsluice TO " + role_ +
           "; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA pgsluice TO " + role_);
  EXPECT_EQ(refused(check(dsn, test::onboarding_text())), "");
}

TEST_F(PreflightTest, RefusesStatementsThatTheRoleMayNotSend) {
  test::make_users(db_);
  const auto dsn =
      role_dsn("GRANT pg_monitor TO ROLE; GRANT CREATE ON DATABASE " + db_.text("SELECT current_database()") +
               " TO ROLE; GRANT SELECT ON users TO ROLE");
  const auto findings = check(
      dsn,
      test::onboarding_text() +
          std::string(
              "[[step]]\nkind = \"backfill\"\nname = \"more\"\ntable = \"users\"\nset = { plan = \"1\" }\n"));
  EXPECT_THAT(refused(findings),
              HasSubstr("privileges: ALTER TABLE is reserved for the owner of table \"public.users\""));
  EXPECT_THAT(refused(findings), HasSubstr("privileges: the batch statement is not allowed"));
  for (const auto& f : findings) {
    EXPECT_EQ(f.exit_code, f.level == Level::kRefuse ? 77 : 0) << f.message;
  }
}

TEST_F(PreflightTest, RefusesRowsThatRowSecurityHides) {
  test::make_users(db_);
  db_.exec("ALTER TABLE users ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON users USING (plan = 1)");
  const auto dsn = role_dsn("GRANT pg_monitor TO ROLE; GRANT CREATE ON DATABASE " +
                            db_.text("SELECT current_database()") + " TO ROLE; GRANT ALL ON users TO ROLE");
  EXPECT_THAT(refused(check(dsn, backfill("users", "plan = \"1\""))),
              HasSubstr("row security of table \"public.users\" applies"));
}

TEST_F(PreflightTest, RefusesTablesThatCannotBeWalked) {
  db_.exec(
      "CREATE TABLE keyless (v int); CREATE TABLE nullable (id int UNIQUE, v int); CREATE VIEW seen AS "
      "SELECT 1 AS v;"
      "CREATE TABLE made (id int PRIMARY KEY, v int, w int GENERATED ALWAYS AS (v + 1) STORED)");
  EXPECT_THAT(refused(check(dsn_, backfill("missing", "v = \"1\""))),
              HasSubstr("table \"missing\" does not exist"));
  EXPECT_THAT(refused(check(dsn_, backfill("keyless", "v = \"1\""))), HasSubstr("has no key to walk"));
  EXPECT_THAT(refused(check(dsn_, backfill("nullable", "v = \"1\""))),
              HasSubstr("nullable_id_key: a column of it may be NULL"));
  EXPECT_THAT(refused(check(dsn_, backfill("nullable", "v = \"1\"", "key = [\"id\"]"))),
              HasSubstr("cannot be walked: a column of it may be NULL"));
  EXPECT_THAT(refused(check(dsn_, backfill("seen", "v = \"1\""))), HasSubstr("is a view"));
  EXPECT_THAT(refused(check(dsn_, backfill("made", "w = \"1\""))), HasSubstr("is generated"));
  EXPECT_THAT(refused(check(dsn_, backfill("made", "id = \"id + 1\""))), HasSubstr("belongs to the key"));
  EXPECT_THAT(refused(check(dsn_, backfill("made", "vv = \"1\""))), HasSubstr("has no column \"vv\""));
  EXPECT_THAT(refused(check(dsn_, backfill("made", "v = \"nosuch(v)\""))),
              HasSubstr("function nosuch(integer) does not exist"));
  EXPECT_THAT(refused(check(dsn_, backfill("made", "v = \"'x'::date\""))),
              HasSubstr("expressions: the server refuses the batch statement"));
}

TEST_F(PreflightTest, TrustsEarlierStepsToMakeWhatIsMissing) {
  const std::string make = "name = \"j\"\n[[step]]\nkind = \"sql\"\nname = \"make\"\nup = \"%\"\n";
  const auto after = [&](const std::string& sql) {
    auto text = make;
    text.replace(text.find('%'), 1, sql);
    const auto step = backfill("t", "v = \"1\"");
    return check(dsn_, text + step.substr(step.find("[[")));
  };
  EXPECT_EQ(refused(after("CREATE TABLE t (id int PRIMARY KEY, v int)")), "");
  EXPECT_EQ(refused(after("DO 'begin end'")), "");
  EXPECT_THAT(warned(after("DO 'begin end'")), HasSubstr("step \"make\" must make it"));
  EXPECT_THAT(refused(after("CREATE TABLE u (id int PRIMARY KEY, v int)")),
              HasSubstr("table \"t\" does not exist"));
  db_.exec("CREATE TABLE t (id int PRIMARY KEY)");
  EXPECT_EQ(refused(after("ALTER TABLE t ADD COLUMN v int")), "");
  EXPECT_THAT(refused(after("ALTER TABLE t ADD COLUMN w int")), HasSubstr("no column \"v\""));
  EXPECT_THAT(refused(after("DROP TABLE t")), HasSubstr("an earlier step, \"make\", drops its table"));
}

TEST_F(PreflightTest, RefusesAnotherDefinitionOfWhatStandsAndTellsOfAnyOther) {
  test::make_users(db_);
  auto session = session_on(dsn_);
  ledger::install(session);
  const auto record = ledger::open_job(session, definition_of(job_of(backfill("users", "plan = \"1\""))));
  const auto mended = check(dsn_, backfill("users", "plan = \"2\""));
  EXPECT_EQ(refused(mended), "");
  EXPECT_THAT(told(mended), HasSubstr("- set.plan = 1\n  + set.plan = 2"));
  ledger::set_step_state(session, record.steps.front().step_id, StepState::kDone);
  const auto findings = check(dsn_, backfill("users", "plan = \"2\""));
  EXPECT_THAT(refused(findings), HasSubstr("definition: job \"j\" exists with another definition"));
  EXPECT_THAT(refused(findings), HasSubstr("- set.plan = 1\n  + set.plan = 2"));
  EXPECT_EQ(findings.front().exit_code, 5);
}

TEST_F(PreflightTest, RefusesAnIndexThroughAPooler) {
  test::make_users(db_);
  test::Pgbouncer pooler(test::SharedServer::get());
  const auto dsn = pooler.dsn(db_.text("SELECT current_database()"));
  EXPECT_THAT(refused(check(dsn, test::onboarding_text())),
              HasSubstr("pooler: index step \"index\" needs a separate session"));
  EXPECT_EQ(refused(check(dsn, "direct_dsn = \"" + dsn_ + "\"\n" + test::onboarding_text())), "");
}

TEST_F(PreflightTest, RefusesAnIndexNameThatBelongsToSomethingElse) {
  test::make_users(db_);
  db_.exec("CREATE TABLE users_onboarded (id int)");
  EXPECT_THAT(refused(check(dsn_, test::onboarding_text())),
              HasSubstr("index: the name \"public\".\"users_onboarded\" belongs to something other than"));
}

TEST_F(PreflightTest, WarnsOfStrongLocksAndOldTransactions) {
  test::make_users(db_);
  Db other(dsn_);
  other.exec("BEGIN");
  other.exec("LOCK TABLE users IN SHARE MODE");
  const auto pid = std::to_string(other.backend_pid());
  EXPECT_THAT(warned(check(dsn_, backfill("users", "plan = \"1\""))),
              HasSubstr("locks: pid " + pid + " (postgres"));
  EXPECT_THAT(warned(check(dsn_, backfill("users", "plan = \"1\""))),
              HasSubstr("holds or waits for SHARE on table \"public.users\""));
}

TEST_F(PreflightTest, NeverWaitsForATableThatIsLocked) {
  test::make_users(db_);
  Db other(dsn_);
  other.exec("BEGIN");
  other.exec("LOCK TABLE users IN ACCESS EXCLUSIVE MODE");
  const auto findings = check(dsn_, test::onboarding_text());
  EXPECT_EQ(refused(findings), "");
  EXPECT_THAT(warned(findings), HasSubstr("table \"users\" is locked, so check could not read it: pid " +
                                          std::to_string(other.backend_pid())));
  auto session = session_on(dsn_);
  const auto plan = make_plan(session, job_of(test::onboarding_text()), "here");
  EXPECT_THAT(test::lines(plan.steps.at(1).notes), HasSubstr("its table is locked, plan again later: pid"));
}

TEST_F(PreflightTest, KnowsOldTransactionsAndSlotsThatNobodyReads) {
  test::PrivateServer server({.settings = {{"wal_level", "replica"}}});
  Db db(server.dsn());
  db.exec("SELECT pg_create_physical_replication_slot('forgotten', true)");
  Db other(server.dsn());
  other.exec("BEGIN");
  other.exec("SELECT 1");
  auto session = session_on(server.dsn());
  const auto slots = pg::idle_slots(session);
  ASSERT_EQ(slots.size(), 1U);
  EXPECT_EQ(slots.front().name, "forgotten");
  test::wait_for([&] { return !pg::long_transactions(session, 0).empty(); }, "a transaction to be seen");
  EXPECT_EQ(pg::long_transactions(session, 0).front().pid, other.backend_pid());
  EXPECT_TRUE(pg::long_transactions(session, 300).empty());
}

TEST_F(PreflightTest, RefusesALedgerOfANewerVersion) {
  auto session = session_on(dsn_);
  ledger::install(session);
  db_.exec("UPDATE pgsluice.meta SET schema_version = 99");
  EXPECT_THAT(refused(check(dsn_, test::onboarding_text())), HasSubstr("written by a newer version"));
}

TEST_F(PreflightTest, WarnsOfPreparedTransactionsIdleSlotsAndSynchronousStandbys) {
  test::PrivateServer server({.settings = {{"max_prepared_transactions", "2"}}});
  Db db(server.dsn());
  test::make_users(db);
  db.exec("BEGIN");
  db.exec("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE");
  db.exec("PREPARE TRANSACTION 'left'");
  auto warnings = warned(check(server.dsn(), backfill("users", "plan = \"1\"")));
  EXPECT_THAT(warnings, HasSubstr("prepared transactions: transaction \"left\" of postgres"));
  EXPECT_THAT(warnings, HasSubstr("holds or waits for SHARE ROW EXCLUSIVE"));
  db.exec("ROLLBACK PREPARED 'left'");
  server.set("synchronous_standby_names", "somebody");
  EXPECT_THAT(warned(check(server.dsn(), backfill("users", "plan = \"1\""))),
              HasSubstr("synchronous standbys: synchronous_standby_names is 'somebody'"));
}

TEST_F(PreflightTest, WarnsOfInvalidIndexesTriggersVolatileFunctionsAndMissingStatistics) {
  test::make_users(db_);
  db_.exec(
      "CREATE INDEX broken ON users (email); UPDATE pg_index SET indisvalid = false WHERE indexrelid = "
      "'broken'::regclass;"
      "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'begin return new; end';"
      "CREATE TRIGGER fires BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION f();"
      "CREATE TRIGGER silent BEFORE UPDATE OF email ON users FOR EACH ROW EXECUTE FUNCTION f();"
      "CREATE TABLE fresh (id int PRIMARY KEY, v int) WITH (autovacuum_enabled = off); INSERT INTO fresh "
      "SELECT 1, 1");
  const auto warnings = warned(check(dsn_, backfill("users", "plan = \"(random() * 9)::int\"")));
  EXPECT_THAT(warnings, HasSubstr("indexes: index \"broken\" of table \"public.users\" is INVALID"));
  EXPECT_THAT(warnings, HasSubstr("fires trigger \"fires\" |"));
  EXPECT_THAT(warnings, HasSubstr("volatile functions: step \"fill\" calls \"random\""));
  EXPECT_THAT(warned(check(dsn_, backfill("fresh", "v = \"1\""))),
              HasSubstr("statistics: table \"public.fresh\" was never analysed"));
}

TEST_F(PreflightTest, LooksAtNoStepThatIsDone) {
  test::make_users(db_);
  auto session = session_on(dsn_);
  ledger::install(session);
  const auto job = job_of(backfill("users", "plan = \"1\""));
  const auto record = ledger::open_job(session, definition_of(job));
  ledger::set_step_state(session, record.steps.front().step_id, StepState::kDone);
  db_.exec("DROP TABLE users");
  EXPECT_EQ(refused(preflight(session, job, true)), "");
}

TEST_F(PreflightTest, ChecksPartitionedTablesByTheirParts) {
  db_.exec(
      "CREATE TABLE p (id int PRIMARY KEY, v int) PARTITION BY RANGE (id);"
      "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (50000);"
      "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (50000) TO (100001);"
      "INSERT INTO p SELECT g, 0 FROM generate_series(1, 100000) g; ANALYZE p");
  const auto findings = check(dsn_, backfill("p", "v = \"1\""));
  EXPECT_EQ(refused(findings), "");
  EXPECT_EQ(warned(findings), "");
  EXPECT_THAT(told(findings), HasSubstr("a batch finds its rows by index \"p_pkey\""));
  EXPECT_THAT(told(findings), HasSubstr("has about 100,000 rows"));
}

}  // namespace
}  // namespace pgsluice::engine
