// Goal: a purge drops a partition only where that is the same as deleting its rows, finishes what an
// interrupted one began, and leaves exactly what a plain DELETE leaves. Method: the real program on
// partitions of all kinds, against a copy and a twin.
#include "pg/purge_trial.hpp"
#include "support/process.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class PartitionedPurge : public PurgeTest {
 protected:
  /// Months from 200 days ago to now: five are older than 90 days, one is on both sides.
  void make_months(const std::string& others = {}) {
    trial_.db().exec(
        "CREATE TABLE audit (id bigint GENERATED ALWAYS AS IDENTITY, created_at timestamptz NOT NULL, "
        "PRIMARY KEY "
        "(created_at, id)) PARTITION BY RANGE (created_at);"
        "DO $$ BEGIN FOR i IN 0..9 LOOP EXECUTE format('CREATE TABLE month_%s PARTITION OF audit FOR VALUES "
        "FROM (%L) TO "
        "(%L)', i, date_trunc('day', now()) - interval '205 days' + i * interval '25 days', "
        "date_trunc('day', now()) - interval "
        "'205 days' + (i + 1) * interval '25 days'); END LOOP; END $$;" +
        others +
        "INSERT INTO audit (created_at) SELECT now() - g * interval '1 hour' FROM generate_series(0, 4800) g;"
        "CREATE TABLE was AS SELECT * FROM audit; ANALYZE audit");
  }
  std::int64_t parts() {
    return trial_.db().number("SELECT count(*) FROM pg_class WHERE relname LIKE 'month%' AND relkind = 'r'");
  }
};

TEST_F(PartitionedPurge, DropsPartitionsThatGoWholly) {
  make_months();
  trial_.job(purge_job("audit", where(kOld)));
  EXPECT_THAT(run_ok(trial_.text_command("plan")),
              AllOf(HasSubstr("DETACH PARTITION \"public\".\"month_0\" CONCURRENTLY"),
                    HasSubstr("4 partitions match wholly")));
  for (const auto* point : {"purge_detached:1", "purge_detached:1", "after_commit:1"}) {
    auto command = trial_.command("run");
    command.env["PGSLUICE_FAILPOINT"] = point;
    EXPECT_EQ(run(command).exit.signal, SIGKILL) << point;
  }
  expect_exit(0, trial_.run());
  EXPECT_EQ(parts(), 6);
  expect_exact("");
  expect_exit(0, trial_.verb("verify"));
}

TEST_F(PartitionedPurge, FinishesADetachThatWasInterrupted) {
  make_months();
  trial_.job(purge_job("audit", where(kOld)));
  Db reader(trial_.dsn());
  reader.exec("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM audit");
  Process waiting(trial_.command("run"));
  wait_for([&] { return trial_.db().number("SELECT count(*) FROM pg_inherits WHERE inhdetachpending") == 1; },
           "a partition that waits to be detached");
  kill_program(trial_, waiting);
  reader.exec("COMMIT");
  expect_exit(0, trial_.run());
  EXPECT_EQ(parts(), 6);
  expect_exact("");
}

TEST_F(PartitionedPurge, NamesWhomItsDetachWaitsForAndEndsAtOnceIfToldTo) {
  make_months();
  trial_.job(purge_job("audit", where(kOld)));
  Db reader(trial_.dsn());
  reader.exec("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM audit");
  const auto pid = "pid " + reader.text("SELECT pg_backend_pid()");
  Process waiting(trial_.text_command("run", {"--grace", "600s"}));
  wait_for([&] { return trial_.verb("status").out.find(pid) != std::string::npos || !waiting.running(); },
           "a status that names the session");
  EXPECT_THAT(
      run_ok(trial_.text_command("status")),
      AllOf(HasSubstr("DETACH PARTITION \"public\".\"month_0\" waits for " + pid), HasSubstr("held")));
  waiting.signal(SIGTERM);
  EXPECT_EQ(waiting.wait().code, 75) << waiting.err();
  EXPECT_THAT(waiting.err(), HasSubstr("waits for " + pid));
  reader.exec("COMMIT");
  expect_exit(0, trial_.run());
  EXPECT_EQ(parts(), 6);
  expect_exact("");
}

TEST_F(PartitionedPurge, DeletesTheirRowsWhereDetachingWouldBlockOthers) {
  make_months("CREATE TABLE rest PARTITION OF audit DEFAULT;");
  trial_.job(purge_job("audit", where(kOld)));
  expect_exit(0, trial_.run());
  EXPECT_EQ(parts(), 10);
  expect_exact("");
}

TEST_F(PartitionedPurge, DeletesTheirRowsIfNoneWouldBeLeft) {
  make_months();
  trial_.job(purge_job("audit", where("created_at < 'infinity'")));
  expect_exit(0, trial_.run());
  EXPECT_EQ(parts(), 10);
  EXPECT_EQ(count("audit"), 0);
}

// NULL instead of false: the server leaves every partition out of the plan, although no row matches.
TEST_F(PartitionedPurge, DropsNoneWhoseRowsDoNotMatch) {
  make_months();
  trial_.job(purge_job("audit", where(std::string(kOld) + " AND id = NULL")));
  expect_exit(0, trial_.run());
  EXPECT_EQ(parts(), 10);
  EXPECT_EQ(count("audit"), count("was"));
  trial_.job(
      "name = \"k\"\n" +
      purge_job("audit", where("created_at < current_setting('app.cutoff', true)::timestamptz")).substr(11));
  expect_exit(0, trial_.run());
  EXPECT_EQ(parts(), 10);
  EXPECT_EQ(count("audit"), count("was"));
}

TEST_F(PartitionedPurge, LeavesWhatOthersHaveDetachedOrGivenAnotherPurpose) {
  make_months();
  trial_.job(purge_job("audit", where(kOld)));
  auto command = trial_.command("run");
  command.env["PGSLUICE_FAILPOINT"] = "purge_detached:1";
  EXPECT_EQ(run(command).exit.signal, SIGKILL);
  trial_.db().exec(
      "ALTER TABLE audit DETACH PARTITION month_1; ALTER TABLE month_1 RENAME TO legal_hold;"
      "ALTER TABLE audit DETACH PARTITION month_2;"
      "ALTER TABLE audit DETACH PARTITION month_3; TRUNCATE month_3; INSERT INTO month_3 VALUES (1, "
      "now() + interval '2 "
      "years'); ALTER TABLE audit ATTACH PARTITION month_3 FOR VALUES FROM ('2027-06-01') TO ('2029-01-01')");
  const auto finished = trial_.run();
  expect_exit(0, finished);
  EXPECT_THAT(finished.out, HasSubstr("somebody else has detached it"));
  EXPECT_GT(count("legal_hold"), 0);
  EXPECT_GT(count("month_2"), 0);
  EXPECT_EQ(count("month_3"), 1);
}

TEST_F(PartitionedPurge, KeepsThemWhereDroppingIsNotDeleting) {
  make_months("CREATE VIEW seen AS SELECT * FROM month_1;");
  trial_.job(purge_job("audit", where(kOld)));
  expect_exit(0, trial_.run());
  EXPECT_EQ(parts(), 7);
  EXPECT_EQ(count("seen"), 0);
  expect_exact("");
}

TEST_F(PartitionedPurge, ArchivesThemRowByRow) {
  make_months();
  trial_.job(purge_job("audit", where(kOld) + "archive_to = \"kept\""));
  expect_exit(0, trial_.run());
  EXPECT_EQ(parts(), 10);
  expect_exact();
}

class ArchivedPartitions : public PartitionedPurge {
 protected:
  /// The archive is partitioned likewise; `others` may take some of its room.
  void make_archive(const std::string& others = {}) {
    make_months();
    trial_.db().exec(
        "CREATE TABLE kept (created_at timestamptz NOT NULL, id bigint NOT NULL) PARTITION BY RANGE "
        "(created_at);" +
        others);
    trial_.job(purge_job("audit", where(kWhole) + "archive_to = \"kept\""));
  }
  void expect_archived() {
    const std::string gone = "SELECT id, created_at FROM was WHERE " + std::string(kWhole);
    const std::string kept = "SELECT id, created_at FROM kept";
    EXPECT_EQ(trial_.db().number("SELECT count(*) FROM ((" + gone + " EXCEPT ALL " + kept + ") UNION ALL (" +
                                 kept + " EXCEPT ALL " + gone + ")) d"),
              0);
    EXPECT_EQ(count("audit") + count("kept"), 4801);
    EXPECT_EQ(count("audit WHERE " + std::string(kWhole)), 0);
  }
  std::int64_t parts_of(const std::string& table) {
    return trial_.db().number("SELECT count(*) FROM pg_inherits WHERE inhparent = '" + table + "'::regclass");
  }
  // Where the fourth month ends.
  static constexpr const char* kWhole = "created_at < date_trunc('day', now()) - interval '105 days'";
};

TEST_F(ArchivedPartitions, BecomePartOfAnArchiveThatIsPartitionedLikewise) {
  make_archive();
  EXPECT_THAT(
      run_ok(trial_.text_command("plan")),
      AllOf(HasSubstr("ALTER TABLE \"public\".\"kept\" ATTACH PARTITION \"public\".\"month_0\" FOR VALUES"),
            HasSubstr("4 partitions match wholly")));
  for (const auto* point : {"purge_detached:1", "purge_detached:1"}) {
    auto command = trial_.command("run");
    command.env["PGSLUICE_FAILPOINT"] = point;
    EXPECT_EQ(run(command).exit.signal, SIGKILL) << point;
  }
  expect_exit(0, trial_.run());
  EXPECT_EQ(parts_of("kept"), 4);
  EXPECT_EQ(parts_of("audit"), 6);
  expect_archived();
}

TEST_F(ArchivedPartitions, GoRowByRowWhereTheArchiveHasNoRoomForThem) {
  make_archive(
      "DO $$ BEGIN EXECUTE format('CREATE TABLE kept_2 PARTITION OF kept FOR VALUES FROM (%L) TO (%L)', "
      "date_trunc('day', now()) - interval '155 days', date_trunc('day', now()) - interval '130 days'); END "
      "$$;");
  expect_exit(0, trial_.run());
  EXPECT_EQ(parts_of("kept"), 4) << "three of them, and the one that was there";
  EXPECT_EQ(parts_of("audit"), 7);
  expect_archived();
}

TEST_F(ArchivedPartitions, GoRowByRowIfTheyWouldBringAForeignKeyAlong) {
  make_archive("CREATE TABLE kept_all PARTITION OF kept FOR VALUES FROM (MINVALUE) TO (MAXVALUE);");
  trial_.db().exec(
      "CREATE TABLE users (id bigint PRIMARY KEY); INSERT INTO users SELECT id FROM audit;"
      "ALTER TABLE audit ADD FOREIGN KEY (id) REFERENCES users");
  expect_exit(0, trial_.run());
  EXPECT_EQ(parts_of("audit"), 10);
  expect_archived();
}

// What the server proves of bounds, against what it deletes itself: NULLs, lists, two levels, defaults.
TEST_F(PurgeTest, LeavesWhatAPlainDeleteLeavesWhateverThePartitions) {
  const std::vector<std::string> layouts{
      "PARTITION BY RANGE (k); CREATE TABLE p1 PARTITION OF t FOR VALUES FROM (MINVALUE) TO (3); CREATE "
      "TABLE p2 PARTITION OF "
      "t FOR VALUES FROM (3) TO (6); CREATE TABLE p3 PARTITION OF t FOR VALUES FROM (6) TO (MAXVALUE); "
      "CREATE TABLE p4 PARTITION "
      "OF t DEFAULT",
      "PARTITION BY LIST (k); CREATE TABLE p1 PARTITION OF t FOR VALUES IN (NULL, 1, 2); CREATE TABLE p2 "
      "PARTITION OF t FOR "
      "VALUES IN (3, 4); CREATE TABLE p3 PARTITION OF t FOR VALUES IN (5, 6, 7, 8, 9, 0)",
      "PARTITION BY HASH (k); CREATE TABLE p1 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 0); "
      "CREATE TABLE p2 "
      "PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 1)",
      "PARTITION BY RANGE (k, n); CREATE TABLE p1 PARTITION OF t FOR VALUES FROM (MINVALUE, MINVALUE) TO (4, "
      "2); CREATE TABLE "
      "p2 PARTITION OF t FOR VALUES FROM (4, 2) TO (MAXVALUE, MAXVALUE); CREATE TABLE p3 PARTITION OF t "
      "DEFAULT",
      "PARTITION BY LIST (n); CREATE TABLE p1 PARTITION OF t FOR VALUES IN (0, NULL) PARTITION BY RANGE (k); "
      "CREATE TABLE p2 "
      "PARTITION OF p1 FOR VALUES FROM (MINVALUE) TO (5); CREATE TABLE p3 PARTITION OF p1 DEFAULT; CREATE "
      "TABLE p4 PARTITION OF "
      "t DEFAULT",
  };
  const std::vector<std::string> conditions{"k < 5",
                                            "k = 1",
                                            "k <= 4 AND n > 0",
                                            "k < 5 OR n = 1",
                                            "k IS NULL",
                                            "k IN (1, 2)",
                                            "NOT (k > 3)",
                                            "n = 0",
                                            "n IS NOT DISTINCT FROM NULL",
                                            "coalesce(k, 0) < 3",
                                            "k < 9 AND k IS NOT NULL"};
  int number = 0;
  for (const auto& layout : layouts) {
    for (const auto& condition : conditions) {
      trial_.db().exec(
          "DROP TABLE IF EXISTS t, twin; CREATE TABLE t (id int, k int, n int) " + layout +
          "; INSERT INTO t SELECT g, nullif(g % 11, 10), nullif(g % 4, 3) FROM generate_series(1, 440) g;"
          "CREATE TABLE twin AS SELECT * FROM t; ANALYZE t; DELETE FROM twin WHERE " +
          condition);
      trial_.job("name = \"j" + std::to_string(++number) + "\"\n" +
                 purge_job("t", where(condition) + "walk = \"blocks\"").substr(11));
      const auto finished = trial_.run();
      expect_exit(0, finished);
      EXPECT_EQ(trial_.db().number(
                    "SELECT count(*) FROM ((SELECT * FROM t EXCEPT ALL SELECT * FROM twin) UNION ALL "
                    "(SELECT * FROM twin EXCEPT ALL SELECT * FROM t)) d"),
                0)
          << layout << "\n"
          << condition << finished.err;
    }
  }
}

}  // namespace
}  // namespace pgsluice::test
