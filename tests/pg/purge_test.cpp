// Goal: a purge deletes the rows that matched when it began, each once, and its archive has every one of them
// as it was, whatever happens to the program; nothing is deleted that the operator was not told of. Method:
// the real program; what plain SQL would have done is worked out from a copy of the table.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/purge_trial.hpp"
#include "support/environment.hpp"
#include "support/pgbench.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Shape {
  const char* name;
  const char* key;
  const char* partition;
  const char* walk;
};

class EveryPurge : public PurgeTest, public testing::WithParamInterface<Shape> {
 protected:
  EveryPurge() {
    make_audit(GetParam().key, GetParam().partition);
    trial_.job(purge_job("audit", where(kOld) + "archive_to = \"kept\"\nwalk = \"" + GetParam().walk + "\""));
  }
};

INSTANTIATE_TEST_SUITE_P(
    Shape, EveryPurge,
    testing::Values(Shape{"keyset", "PRIMARY KEY (id)", "", "keyset"},
                    Shape{"composite", "PRIMARY KEY (tenant, id)", "", "keyset"},
                    Shape{"blocks", "PRIMARY KEY (id)", "", "blocks"},
                    Shape{"partitioned", "PRIMARY KEY (id)", "PARTITION BY RANGE (id)", "keyset"},
                    Shape{"partitioned_blocks", "PRIMARY KEY (id)", "PARTITION BY RANGE (id)", "blocks"}),
    [](const auto& shape) { return std::string(shape.param.name); });

TEST_P(EveryPurge, MovesEachMatchingRowAsItWas) {
  expect_exit(0, trial_.run());
  expect_exact();
  const auto again = trial_.run();
  expect_exit(0, again);
  EXPECT_EQ(summary_of(again).at("rows_changed"), 1000);
  expect_exact();
  expect_exit(0, trial_.verb("verify"));
}

TEST_P(EveryPurge, MovesEachRowOnceHoweverOftenItIsKilled) {
  for (const auto* point :
       {"after_lease:1", "after_position:2", "after_update:3", "after_commit:2", "after_update:1"}) {
    auto command = trial_.command("run");
    command.env["PGSLUICE_FAILPOINT"] = point;
    const auto killed = run(command);
    EXPECT_EQ(killed.exit.signal, SIGKILL) << point << killed.err;
  }
  Process one(trial_.command("run", {"--wait", "30s"}));
  Process two(trial_.command("run", {"--wait", "30s"}));
  EXPECT_EQ(one.wait().code, 0) << one.out() << one.err();
  EXPECT_EQ(two.wait().code, 0) << two.out() << two.err();
  expect_exact();
}

TEST_F(PurgeTest, IsExactBesideAnApplicationThatWrites) {
  make_audit();
  trial_.db().exec("CREATE TABLE app (id bigint)");
  trial_.job(purge_job(
      "audit", where("created_at < now() - interval '90 days' AND tenant = 1") + "archive_to = \"kept\""));
  Traffic application;
  application.dsn = trial_.dsn();
  application.script =
      "\\set id random(1, 3000)\n"
      "BEGIN;\nINSERT INTO app SELECT id FROM audit WHERE id = :id FOR UPDATE;\n"
      "UPDATE audit SET body = body || '!', tenant = 2 WHERE id = :id;\nCOMMIT;\n";
  application.rate = 100;
  Pgbench traffic(application);
  for (int i = 0; i < 3; ++i) {
    Process running(trial_.command("run"));
    wait_for([&] { return count("audit") < 2950 - 200 * i || !running.running(); }, "rows to be purged");
    kill_program(trial_, running);
  }
  expect_exit(0, trial_.run());
  traffic.stop();
  // Nobody is lost or doubled; a row that the application reached first is left, as it wrote it.
  EXPECT_EQ(count("audit") + count("kept"), 3000);
  EXPECT_EQ(trial_.db().number("SELECT count(*) FROM audit a JOIN kept k USING (id)"), 0);
  EXPECT_EQ(trial_.db().number("SELECT count(*) FROM kept WHERE id IN (SELECT id FROM app)"), 0);
  EXPECT_EQ(
      trial_.db().number("SELECT count(*) FROM audit WHERE tenant = 1 AND created_at < now() - interval "
                         "'90 days'"),
      0);
}

TEST_F(PurgeTest, DoesNotMoveItsBoundaryWhenItGoesOn) {
  make_audit();
  trial_.db().exec("UPDATE audit SET created_at = 'infinity' WHERE id > 2000");
  trial_.job(purge_job("audit", where("created_at < clock_timestamp()"),
                       "[batch]\nrows = 100\nrows_max = 100\n"
                       "[pool]\nlanes = 1\n"));
  auto command = trial_.command("run");
  command.env["PGSLUICE_FAILPOINT"] = "after_commit:5";
  EXPECT_EQ(run(command).exit.signal, SIGKILL);
  trial_.db().exec("UPDATE audit SET created_at = clock_timestamp() WHERE id = 2999");
  expect_exit(0, trial_.run());
  EXPECT_EQ(count("audit"), 1000);
  EXPECT_EQ(trial_.db().number("SELECT count(*) FROM audit WHERE id = 2999"), 1);
}

TEST_F(PurgeTest, VisitsOnlyWhatGoesIfAnIndexLeadsThere) {
  make_audit();
  auto& db = trial_.db();
  db.exec(
      "UPDATE audit SET created_at = created_at + id * interval '1 second';"
      "CREATE INDEX by_time ON audit (created_at); CLUSTER audit USING by_time; ANALYZE audit;"
      "DROP TABLE was; CREATE TABLE was AS SELECT * FROM audit");
  trial_.job(purge_job("audit", where(kOld) + "archive_to = \"kept\""));
  EXPECT_THAT(run_ok(trial_.text_command("plan")), HasSubstr("keyset along (\"created_at\", \"id\")"));
  auto command = trial_.command("run");
  command.env["PGSLUICE_FAILPOINT"] = "after_commit:4";
  EXPECT_EQ(run(command).exit.signal, SIGKILL);
  // Without the index nobody would begin that way, but the ranges that are left say how to go on.
  db.exec("DROP INDEX by_time");
  const auto finished = trial_.run();
  expect_exit(0, finished);
  EXPECT_EQ(summary_of(finished).at("rows_already_right"), 0);
  expect_exact();
}

// Keys of different lengths: as texts, 999 comes after 1000.
TEST_F(PurgeTest, FindsTheLastRowThatMatchesAlsoAmongEqualOnes) {
  for (const auto* type : {"bigint", "float8", "numeric"}) {
    trial_.db().exec(
        std::string("DROP TABLE IF EXISTS logged; CREATE TABLE logged (id ") + type +
        " PRIMARY KEY, day date NOT NULL); INSERT INTO logged SELECT g, date '2020-01-01' + g / 90 FROM "
        "generate_series(1, 12000) g; CREATE INDEX ON logged (day); ANALYZE logged");
    trial_.job("name = \"" + std::string(type) + "\"\n" +
               purge_job("logged", where("day <= date '2020-04-21'")).substr(11));
    EXPECT_THAT(run_ok(trial_.text_command("plan")), HasSubstr("keyset along (\"day\", \"id\")")) << type;
    expect_exit(0, trial_.run());
    EXPECT_EQ(count("logged WHERE day <= date '2020-04-21'"), 0) << type;
    EXPECT_EQ(count("logged"), 12000 - 112 * 90 + 1) << type;
  }
}

// Groups of one to five rows, and one of 300, cut anywhere; every second row of them stays.
TEST_F(PurgeTest, WalksAlongAnIndexWhoseValuesRepeat) {
  trial_.db().exec(
      "CREATE TABLE t (id int PRIMARY KEY, at timestamptz, n int);"
      "INSERT INTO t SELECT g, timestamptz '2024-01-01' + (CASE WHEN g BETWEEN 1000 AND 1300 THEN 333 ELSE g "
      "/ (1 + "
      "g / 1000) END) * interval '1 minute', g * 7 % 10 FROM generate_series(1, 5000) g;"
      "CREATE INDEX t_at ON t (at); CREATE TABLE twin AS SELECT * FROM t; CREATE TABLE was_of_t AS SELECT * "
      "FROM t; "
      "ANALYZE t;"
      "DELETE FROM twin WHERE at < '2024-01-01 20:00+00' AND n % 2 = 0");
  for (const auto* lanes : {"1", "2"}) {
    trial_.job("name = \"lanes" + std::string(lanes) + "\"\n" +
               purge_job("t", where("at < '2024-01-01 20:00+00' AND n % 2 = 0"),
                         "[batch]\nrows = 7\nrows_min = 7\nrows_max = 7\n[pool]\nlanes = " +
                             std::string(lanes) + "\n")
                   .substr(11));
    EXPECT_THAT(run_ok(trial_.text_command("plan")), HasSubstr("index \"t_at\" leads"));
    for (const auto* point : {"after_commit:5", "after_update:40"}) {
      auto command = trial_.command("run");
      command.env["PGSLUICE_FAILPOINT"] = point;
      EXPECT_EQ(run(command).exit.signal, SIGKILL) << point;
    }
    const auto finished = trial_.run();
    expect_exit(0, finished);
    EXPECT_EQ(trial_.db().number(
                  "SELECT count(*) FROM ((TABLE t EXCEPT TABLE twin) UNION ALL (TABLE twin EXCEPT TABLE "
                  "t)) d"),
              0);
    trial_.db().exec("TRUNCATE t; INSERT INTO t SELECT * FROM was_of_t");
  }
}

TEST_F(PurgeTest, EndsAtOnceIfAnIndexShowsThatNothingMatches) {
  make_audit();
  trial_.db().exec(
      "UPDATE audit SET created_at = now() + id * interval '1 second';"
      "CREATE INDEX by_time ON audit (created_at); CLUSTER audit USING by_time; ANALYZE audit");
  trial_.job(purge_job("audit", where(kOld)));
  const auto finished = trial_.run();
  expect_exit(0, finished);
  EXPECT_EQ(summary_of(finished).at("batches"), 0);
  EXPECT_EQ(count("audit"), 3000);
}

TEST_F(PurgeTest, RefusesASubqueryThatShiftsAsRowsGo) {
  make_audit();
  trial_.db().exec(
      "CREATE TABLE kept (LIKE audit); CREATE VIEW \"Newest\" AS SELECT max(id) AS id FROM audit;"
      "CREATE TABLE line (audit_id bigint REFERENCES audit ON DELETE CASCADE); CREATE INDEX ON line "
      "(audit_id);"
      "CREATE TABLE bound AS SELECT max(id) - 1000 AS id FROM audit");
  const auto purge = [&](const std::string& condition) {
    trial_.job(purge_job(
        "audit", "where = 'id <= " + condition + "'\narchive_to = \"kept\"\nallow_effects_on = \"line\""));
  };
  for (const auto* condition :
       {"(SELECT max(id) - 1000 FROM audit)", "(SELECT max(a.id) - 1000 FROM public.audit a)",
        "(SELECT id - 1000 FROM \"Newest\")", "2000 AND id NOT IN (SELECT id FROM kept)",
        "2000 AND NOT EXISTS (SELECT FROM line WHERE audit_id = audit.id)"}) {
    purge(condition);
    const auto refusal = refusal_of(trial_.run());
    EXPECT_EQ(refusal.code, 5) << condition;
    EXPECT_THAT(refusal.message, HasSubstr("would shift")) << condition;
  }
  EXPECT_EQ(count("audit"), 3000);

  purge("(SELECT id FROM bound)");
  EXPECT_THAT(trial_.verb("check").out, HasSubstr("asks a subquery of `where` anew"));
  expect_exit(0, trial_.run());
  EXPECT_EQ(count("audit"), 1000);
  EXPECT_EQ(count("kept"), 2000);
}

TEST_F(PurgeTest, LooksAtWhoRefersToItsRowsBeforeItDeletesOne) {
  make_audit();
  trial_.db().exec(
      "CREATE TABLE line (id int PRIMARY KEY, audit_id bigint REFERENCES audit, note_id int);"
      "CREATE TABLE note (id int PRIMARY KEY, line_id int REFERENCES line ON DELETE CASCADE);"
      "INSERT INTO line SELECT g, g FROM generate_series(1, 300) g; INSERT INTO note SELECT g, g FROM "
      "generate_series(1, 300) g;"
      "ANALYZE");
  trial_.job(purge_job("audit", where(kOld)));
  EXPECT_THAT(refusal_of(trial_.run()).message, HasSubstr("read all of table \"public\".\"line\""));
  trial_.db().exec("CREATE INDEX ON line (audit_id)");
  EXPECT_THAT(refusal_of(trial_.run()).message,
              AllOf(HasSubstr("\"public\".\"line\""), HasSubstr("refuses to delete it")));

  trial_.job(purge_job("audit", where(kOld) + "with = [\"line\"]"));
  EXPECT_THAT(refusal_of(trial_.run()).message, HasSubstr("read all of table \"public\".\"note\""));
  trial_.db().exec("CREATE INDEX ON note (line_id)");
  expect_exit(0, trial_.run());
  EXPECT_EQ(count("line"), 200);
  EXPECT_EQ(count("note"), 200);
  expect_exact("");
}

// The row that is to go is changed while its lock is awaited: it stays, and so must what refers to it.
TEST_F(PurgeTest, KeepsReferringRowsOfARowThatStays) {
  make_audit();
  trial_.db().exec(
      "CREATE TABLE line (id int PRIMARY KEY, audit_id bigint REFERENCES audit);"
      "INSERT INTO line SELECT g, g FROM generate_series(1, 3000) g; CREATE INDEX ON line (audit_id); "
      "ANALYZE");
  trial_.job(purge_job("audit",
                       where("created_at < now() - interval '90 days' AND tenant = 1") + "with = \"line\""));
  Db application(trial_.dsn());
  application.exec("BEGIN; UPDATE audit SET tenant = 2 WHERE id = 1500");
  Process running(trial_.command("run"));
  wait_for(
      [&] {
        return trial_.db().number(
                   "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'pgsluice%' AND "
                   "wait_event = 'transactionid' AND query LIKE '%\"audit\"%'") > 0 ||
               !running.running();
      },
      "a batch that waits for the row");
  application.exec("COMMIT");
  EXPECT_EQ(running.wait().code, 0) << running.err();
  EXPECT_EQ(count("audit"), 2001);
  EXPECT_EQ(count("line"), 2001);

  trial_.db().exec(
      "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
      "CREATE TRIGGER keep BEFORE DELETE ON audit FOR EACH ROW EXECUTE FUNCTION keep()");
  trial_.job("name = \"k\"\n" + purge_job("audit", where(kOld) + "with = \"line\"").substr(11));
  EXPECT_THAT(refusal_of(trial_.run()).message, HasSubstr("may keep a row"));
  EXPECT_EQ(count("audit"), count("line"));
}

TEST_F(PurgeTest, DeletesReferringRowsFirstAlsoByBlocks) {
  make_audit();
  trial_.db().exec(
      "CREATE TABLE line (id int PRIMARY KEY, audit_id bigint REFERENCES audit);"
      "INSERT INTO line SELECT g, g FROM generate_series(1, 3000) g; CREATE INDEX ON line (audit_id); "
      "ANALYZE");
  trial_.job(purge_job("audit", where(kOld) + "with = \"line\"\nwalk = \"blocks\""));
  expect_exit(0, trial_.run());
  EXPECT_EQ(count("line"), 2000);
  expect_exact("");
}

TEST_F(PurgeTest, CountsRowsThatATriggerKeeps) {
  make_audit();
  trial_.db().exec(
      "CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF OLD.id % 30 = 0 THEN RETURN "
      "NULL; END IF; RETURN OLD; "
      "END'; CREATE TRIGGER keep BEFORE DELETE ON audit FOR EACH ROW EXECUTE FUNCTION keep()");
  trial_.job(purge_job("audit", where(kOld) + "archive_to = \"kept\""));
  const auto finished = trial_.run();
  expect_exit(4, finished);
  EXPECT_EQ(count("kept"), 900);
  EXPECT_EQ(count("audit"), 2100);
  EXPECT_THAT(summary_of(finished).at("reason").get<std::string>(), HasSubstr("100 rows"));
}

TEST_F(PurgeTest, SaysThatItCannotBeRolledBack) {
  make_audit();
  trial_.job(purge_job("audit", where(kOld) + "archive_to = \"kept\""));
  expect_exit(0, trial_.run());
  const auto refused = trial_.verb("rollback", {"--yes"});
  expect_exit(5, refused);
  EXPECT_THAT(refusal_of(refused).message, AllOf(HasSubstr("1,000 rows"), HasSubstr("archive kept")));
  expect_exact();
}

TEST_F(PurgeTest, VacuumsWhatItLeft) {
  make_audit();
  trial_.job(purge_job("audit", where(kOld) + "vacuum = true"));
  auto command = trial_.command("run");
  command.env["PGSLUICE_FAILPOINT"] = "after_commit:9";
  EXPECT_EQ(run(command).exit.signal, SIGKILL);
  expect_exit(0, trial_.run());
  trial_.db().exec("CREATE EXTENSION IF NOT EXISTS pgstattuple");
  EXPECT_EQ(trial_.db().number("SELECT dead_tuple_count FROM pgstattuple('audit')"), 0);
  expect_exact("");
}

TEST_F(PurgeTest, NamesMistakesOfItsJobFile) {
  trial_.job(purge_job(
      "audit", "where = \"at < 'yesterday'\"\nwalk = \"interleaved\"\narchive_to = \"a b\"\nkeep = true"));
  const auto refused = trial_.run();
  expect_exit(78, refused);
  for (const auto* text : {"the word 'yesterday'", "\"interleaved\" is not known here", "archive_to", "keep"})
    EXPECT_THAT(refused.err, HasSubstr(text));
}

}  // namespace
}  // namespace pgsluice::test
