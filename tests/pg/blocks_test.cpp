// Walks over blocks: every row once, through rewritten heaps, moved rows, faults and kills; and what makes an
// interleaved walk worth its name.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/trial.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

using testing::HasSubstr;

constexpr const char* kWhere = "where = \"done IS NULL\"\n";

class BlockWalk : public ::testing::Test {
 protected:
  /// Full pages of some 40 rows; two indexes, of which none holds `done`.
  void make_table(int rows, const std::string& key = "PRIMARY KEY") {
    rows_ = rows;
    trial_.db().exec(
        "CREATE TABLE t (id int " + key +
        ", word text NOT NULL, filler text NOT NULL, done boolean, n int NOT NULL DEFAULT 0);"
        "INSERT INTO t SELECT i, 'word ' || i, repeat('x', 100), NULL, 0 FROM generate_series(1, " +
        std::to_string(rows) + ") i; CREATE INDEX ON t (word)");
    trial_.db().exec("VACUUM ANALYZE t");
  }

  void job(const std::string& walk, const std::string& rest = kWhere, const std::string& settings = {},
           const std::string& set = "done = \"true\", n = \"n + 1\"") {
    trial_.job(backfill_job("t", set, (walk.empty() ? "" : "walk = \"" + walk + "\"\n") + rest, settings));
  }

  void expect_run(int code = 0) {
    const auto finished = trial_.run();
    EXPECT_EQ(finished.exit, (Exit{code, 0})) << finished.out << finished.err;
  }

  bool is_killed_at(const std::string& failpoint) {
    auto command = trial_.command("run");
    command.env["PGSLUICE_FAILPOINT"] = failpoint;
    return run(command, 2 * kPatience).exit.signal == SIGKILL;
  }

  /// Every row was changed once, by the table's word and by the ledger's.
  void expect_exact() {
    EXPECT_EQ(trial_.db().text("SELECT format('%s, n %s to %s', count(*), min(n), max(n)) FROM t WHERE done"),
              std::to_string(rows_) + ", n 1 to 1");
    EXPECT_EQ(trial_.db().number("SELECT sum(rows_changed) FROM pgsluice.range"), rows_);
    EXPECT_EQ(trial_.db().number("SELECT count(*) FROM pgsluice.range WHERE NOT is_done"), 0);
  }

  std::int64_t ranges(const std::string& condition) {
    return trial_.db().number("SELECT count(*) FROM pgsluice.range WHERE " + condition);
  }

  double hot_share() {
    const auto read = [&](const char* column) {
      return static_cast<double>(trial_.db().number(std::string("SELECT ") + column +
                                                    " FROM pg_stat_user_tables WHERE relname = 't'"));
    };
    wait_for([&] { return read("n_tup_upd") >= rows_; }, "the statistics of the last session");
    return read("n_tup_hot_upd") / read("n_tup_upd");
  }

  Trial trial_;
  int rows_ = 0;
};

TEST_F(BlockWalk, KeepsMostUpdatesOnTheirPagesWhenInterleaved) {
  make_table(60'000);
  // Enough batches that one of them is sampled, as one in 16 is by chance.
  job("interleaved", kWhere, "[pool]\nlanes = 1\n[batch]\nrows = 200\nrows_max = 200");
  const auto finished = trial_.run();
  ASSERT_EQ(finished.exit, (Exit{0, 0})) << finished.err;
  expect_exact();
  const auto visited =
      static_cast<double>(trial_.db().number("SELECT sum(rows_visited) FROM pgsluice.range"));
  EXPECT_NEAR(visited, rows_, 0.01 * rows_) << "rows are counted in one pass of several";
  EXPECT_LT(trial_.logged("step_ended").back().at("rows_already_right").get<double>(), 0.01 * rows_)
      << "and told in one";
  EXPECT_GT(hot_share(), 0.6);
  const auto summary = summary_of(finished);
  EXPECT_NEAR(summary.at("hot_percent").get<double>(), 100 * hot_share(), 0.5);
  EXPECT_GT(summary.at("wal_bytes_per_row").get<double>(), 50);
  EXPECT_LT(summary.at("wal_bytes_per_row").get<double>(), 2'000) << "the whole batch, or no longer rows";
}

TEST_F(BlockWalk, LeavesNoPageWithRoomWhenNotInterleaved) {
  make_table(20'000);
  job("blocks");
  expect_run();
  expect_exact();
  EXPECT_EQ(ranges("walk <> 'blocks'"), 0) << "nothing moved: no final pass";
  EXPECT_LT(hot_share(), 0.2);
}

TEST_F(BlockWalk, IsChosenByItselfForALargeTableWhoseUpdatesCanBeHot) {
  make_table(60'000);
  job("");
  const auto plan = Json::parse(trial_.verb("plan").out);
  EXPECT_THAT(plan.dump(), HasSubstr("interleaved over blocks"));
  expect_run();
  expect_exact();
  EXPECT_GT(ranges("walk = 'blocks'"), 0);
}

TEST_F(BlockWalk, IsNotChosenWherePagesHaveRoomAnyhow) {
  make_table(60'000);
  trial_.db().exec("DELETE FROM t WHERE id % 3 > 0");
  trial_.db().exec("VACUUM ANALYZE t");
  job("");
  EXPECT_THAT(Json::parse(trial_.verb("plan").out).dump(), HasSubstr("pages with rows are only about"));
}

TEST_F(BlockWalk, IsChosenWhereEmptyPagesLieBesideFullOnes) {
  make_table(60'000);
  trial_.db().exec("UPDATE t SET n = 0");
  trial_.db().exec("VACUUM ANALYZE t");
  job("");
  EXPECT_THAT(Json::parse(trial_.verb("plan").out).dump(), HasSubstr("interleaved over blocks"));
}

TEST_F(BlockWalk, IsNotChosenWhereAnIndexHoldsAChangedColumn) {
  make_table(60'000);
  trial_.db().exec("CREATE INDEX ON t (id) WHERE done IS NULL");
  job("");
  expect_run();
  expect_exact();
  EXPECT_EQ(ranges("walk = 'blocks'"), 0);
}

TEST_F(BlockWalk, IsChosenWithAWordOfWarningWhereATriggerMayRewriteRows) {
  make_table(60'000);
  trial_.db().exec(
      "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';"
      "CREATE TRIGGER touch BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION touch()");
  job("");
  const auto plan = Json::parse(trial_.verb("plan").out).dump();
  EXPECT_THAT(plan, HasSubstr("interleaved over blocks of the heap"));
  EXPECT_THAT(plan, HasSubstr("changes an indexed column"));
}

TEST_F(BlockWalk, NeedsNoKey) {
  make_table(5'000, "");
  job("");
  expect_run();
  expect_exact();
}

TEST_F(BlockWalk, WalksAPartitionedTableLeafByLeaf) {
  rows_ = 9'000;
  trial_.db().exec(
      "CREATE TABLE t (id int, part int, done boolean, n int NOT NULL DEFAULT 0, PRIMARY KEY (id, part)) "
      "PARTITION BY LIST (part);"
      "CREATE TABLE t_one PARTITION OF t FOR VALUES IN (1);"
      "CREATE TABLE \"t Rest\" PARTITION OF t DEFAULT PARTITION BY RANGE (id);"
      "CREATE TABLE t_low PARTITION OF \"t Rest\" FOR VALUES FROM (0) TO (5000);"
      "CREATE TABLE t_high PARTITION OF \"t Rest\" FOR VALUES FROM (5000) TO (20000);"
      "INSERT INTO t SELECT i, i % 3 FROM generate_series(1, 9000) i; ANALYZE t");
  job("interleaved", "where = \"t.done IS NULL AND n < 9\"\n");
  expect_run();
  expect_exact();
  EXPECT_EQ(trial_.db().number("SELECT count(DISTINCT lower[1]) FROM pgsluice.range"), 3);
}

TEST_F(BlockWalk, BeginsAgainInANewHeapAndStillChangesEveryRowOnce) {
  make_table(20'000);
  job("interleaved");
  ASSERT_TRUE(is_killed_at("after_commit:25"));
  trial_.db().exec("VACUUM FULL t");
  expect_run();
  expect_exact();
  EXPECT_EQ(trial_.db().number("SELECT count(DISTINCT lower[2]) FROM pgsluice.range WHERE walk = 'blocks'"),
            2);
}

TEST_F(BlockWalk, StandsAHeapThatIsRewrittenBesideIt) {
  make_table(30'000);
  trial_.db().exec(
      "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.02); RETURN "
      "NULL; END'; CREATE TRIGGER slow BEFORE UPDATE ON t EXECUTE FUNCTION dawdle()");
  job("interleaved", kWhere, "[batch]\nrows = 200\nrows_max = 400");
  Process process(trial_.command("run"));
  for (int i = 0; i < 3; ++i) {
    await_batches(trial_, 10 * (i + 1));
    trial_.db().exec("VACUUM FULL t");
  }
  trial_.db().exec("ALTER TABLE t DISABLE TRIGGER slow");
  EXPECT_EQ(process.wait(2 * kPatience).code, 0) << process.out() << process.err();
  expect_exact();
}

// Two ranges for four lanes: the others get theirs by splitting, which kills the first run and not the
// second.
TEST_F(BlockWalk, LetsLanesSplitARangeBehindTheGroupInWork) {
  make_table(60'000);
  const std::string batches = "[batch]\nrows = 200\nrows_max = 200\n[pool]\nlanes = ";
  job("interleaved", kWhere, batches + "1");
  ASSERT_TRUE(is_killed_at("after_cut"));
  job("interleaved", kWhere, batches + "4");
  ASSERT_TRUE(is_killed_at("after_split"));
  expect_run();
  expect_exact();
  EXPECT_GT(ranges("walk = 'blocks'"), 2);
}

TEST_F(BlockWalk, CutsFinalRangesAndRestartsHeapsOnceThroughKills) {
  make_table(20'000);
  job("interleaved");
  ASSERT_TRUE(is_killed_at("after_commit:25"));
  trial_.db().exec("VACUUM FULL t");
  ASSERT_TRUE(is_killed_at("blocks_recut"));
  trial_.db().exec("UPDATE t SET filler = filler || '!' WHERE done IS NULL");
  ASSERT_TRUE(is_killed_at("after_commit:30"));
  trial_.db().exec("UPDATE t SET filler = filler || '!' WHERE done IS NULL");
  ASSERT_TRUE(is_killed_at("blocks_final_pass")) << "no row moved: nothing is tested";
  expect_run();
  expect_exact();
}

// A run that only waits for another's last range has to look for rows left behind when that one dies.
TEST_F(BlockWalk, MakesTheFinalPassForARunThatDiedBeforeItCould) {
  make_table(400);
  const std::string one_by_one = "[pool]\nlanes = 1\n[batch]\nrows = 100\nrows_min = 100\nrows_max = 100";
  job("blocks", kWhere, one_by_one);
  expect_run();
  const auto batches = trial_.db().number("SELECT sum(batches) FROM pgsluice.range");
  trial_.db().exec("DROP SCHEMA pgsluice CASCADE; DROP TABLE t");
  make_table(400);
  trial_.db().exec(
      "CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.3); RETURN "
      "NULL; END'; CREATE TRIGGER slow BEFORE UPDATE ON t EXECUTE FUNCTION dawdle()");
  job("blocks", std::string(kWhere) + R"toml(
[[step]]
kind = "verify"
name = "nobody-left"
query = "SELECT count(*) FROM t WHERE done IS NULL"
expect = "0"
)toml",
      one_by_one);
  auto command = trial_.command("run");
  command.env["PGSLUICE_FAILPOINT"] = "after_commit:" + std::to_string(batches);
  Process dying(command);
  await_batches(trial_);
  Process waiting(trial_.command("run", {"--wait", "60s"}));
  trial_.db().exec("INSERT INTO t SELECT i, 'late', repeat('x', 2000) FROM generate_series(401, 420) i");
  EXPECT_EQ(dying.wait(2 * kPatience).signal, SIGKILL) << dying.out();
  EXPECT_EQ(waiting.wait(2 * kPatience).code, 0) << waiting.out() << waiting.err();
  EXPECT_EQ(trial_.db().number("SELECT count(*) FROM t WHERE done AND n = 1"), 420);
}

TEST_F(BlockWalk, RefusesAStepWhoseRowsWouldBeDoneTwiceBeforeChangingAny) {
  make_table(60'000);
  job("blocks", "where = \"n < 5\"\n", "", "n = \"n + 1\"");
  const auto refused = trial_.run();
  EXPECT_EQ(refused.code(), 5) << refused.out << refused.err;
  EXPECT_THAT(refusal_of(refused).message, HasSubstr("matches `where` again"));
  EXPECT_EQ(trial_.db().number("SELECT sum(n) FROM t"), 0);
}

TEST_F(BlockWalk, GivesWayToKeysByItselfWhereRowsWouldBeDoneTwice) {
  make_table(60'000);
  job("", "where = \"n < 5\"\n", "", "n = \"n + 1\"");
  expect_run();
  EXPECT_EQ(trial_.db().text("SELECT format('%s to %s', min(n), max(n)) FROM t"), "1 to 1");
  EXPECT_GT(ranges("walk = 'keyset'"), 0);
}

TEST_F(BlockWalk, SetsARowAsideThatCannotBeChanged) {
  make_table(20'000);
  trial_.db().exec("ALTER TABLE t ADD CHECK (done IS NULL OR id NOT IN (7, 9000, 19999))");
  job("interleaved", kWhere, "max_quarantined = 3");
  expect_run(3);
  EXPECT_EQ(trial_.db().column("SELECT key[1] FROM pgsluice.quarantine ORDER BY key[1]::int"),
            (std::vector<std::string>{"7", "9000", "19999"}));
  EXPECT_EQ(trial_.db().text("SELECT format('%s, n %s to %s', count(*), min(n), max(n)) FROM t WHERE done"),
            "19997, n 1 to 1");
}

class RowsThatMove : public BlockWalk {
 protected:
  /// Walks a part of the table, then moves about `rows` rows that were not visited to room behind the walk.
  std::int64_t move_behind_the_walk(int rows, const std::string& key) {
    make_table(20'000, key);
    job("blocks", kWhere, "[pool]\nlanes = 1\n[batch]\nrows = 1000\nrows_max = 1000");
    const auto text = std::to_string(rows);
    trial_.db().exec("DELETE FROM t WHERE id <= " + text);
    trial_.db().exec("VACUUM t");
    rows_ = 20'000 - rows;
    EXPECT_TRUE(is_killed_at("after_commit:9"));
    trial_.db().exec("VACUUM t");
    trial_.db().exec("UPDATE t SET filler = filler || '!' WHERE id > 19900 - " + text);
    return trial_.db().number(
        "SELECT count(*) FROM t WHERE done IS NULL AND ctid < ('(' || (SELECT min((position)[3]::int) FROM "
        "pgsluice.range WHERE position IS NOT NULL) || ',0)')::tid");
  }
};

TEST_F(RowsThatMove, AreChangedByTheirKeysAlone) {
  const auto moved = move_behind_the_walk(300, "PRIMARY KEY");
  ASSERT_GT(moved, 0) << "no row moved: nothing is tested";
  ASSERT_LT(moved, 500);
  expect_run();
  expect_exact();
  EXPECT_EQ(trial_.db().number("SELECT sum(rows_visited) FROM pgsluice.range WHERE walk = 'final'"), moved);
  EXPECT_EQ(trial_.db().number("SELECT sum(rows_expected) FROM pgsluice.range WHERE walk = 'final'"), moved)
      << "and none of the rows between them";
}

TEST_F(RowsThatMove, AreSweptForWhereTheyAreMany) {
  ASSERT_GT(move_behind_the_walk(3'000, "PRIMARY KEY"), 500);
  expect_run();
  expect_exact();
  EXPECT_GT(ranges("walk = 'sweep'"), 0);
  EXPECT_EQ(ranges("walk = 'final'"), 0) << "nothing moved any more";
}

TEST_F(RowsThatMove, AreSweptForThroughKillsAndInANewHeap) {
  ASSERT_GT(move_behind_the_walk(3'000, "PRIMARY KEY"), 500);
  ASSERT_TRUE(is_killed_at("blocks_final_pass"));
  ASSERT_TRUE(is_killed_at("after_commit:3"));
  ASSERT_GT(ranges("walk = 'sweep' AND NOT is_done"), 0);
  trial_.db().exec("VACUUM FULL t");
  expect_run();
  expect_exact();
  EXPECT_EQ(trial_.db().number("SELECT count(DISTINCT lower[2]) FROM pgsluice.range WHERE walk = 'sweep'"),
            2);
  EXPECT_EQ(trial_.db().number("SELECT sum(rows_visited) FROM pgsluice.range WHERE walk = 'sweep'"),
            trial_.db().number("SELECT sum(rows_changed) FROM pgsluice.range WHERE walk = 'sweep'"));
}

TEST_F(RowsThatMove, AreSweptForInALedgerOfTheFormatBefore) {
  ASSERT_GT(move_behind_the_walk(3'000, "PRIMARY KEY"), 500);
  trial_.db().exec(
      "ALTER TABLE pgsluice.range DROP CONSTRAINT range_walk_check, ADD CONSTRAINT range_walk_check CHECK "
      "(walk IN ('keyset', 'blocks', 'final')); DROP TABLE pgsluice.object, pgsluice.image, "
      "pgsluice.estimate; ALTER TABLE pgsluice.step DROP object_names; ALTER TABLE pgsluice.meta DROP "
      "CONSTRAINT meta_pkey, ALTER schema_version SET NOT NULL; UPDATE pgsluice.meta SET schema_version = 3");
  expect_run();
  expect_exact();
  EXPECT_GT(ranges("walk = 'sweep'"), 0);
}

TEST_F(RowsThatMove, AreSweptForWhereNoKeyFindsThem) {
  ASSERT_GT(move_behind_the_walk(300, ""), 0);
  expect_run();
  expect_exact();
  EXPECT_GT(ranges("walk = 'sweep'"), 0);
}

// The look alone reads REPEATABLE READ, and takes a millisecond for each row here.
TEST_F(BlockWalk, GivesWayInItsLookForRowsLeftToWhoeverWaitsForTheTable) {
  make_table(20'000);
  const std::string is_left =
      "CREATE OR REPLACE FUNCTION is_left(done boolean) RETURNS boolean LANGUAGE plpgsql STABLE AS ";
  trial_.db().exec(is_left +
                   "$$ BEGIN IF current_setting('transaction_isolation') = 'repeatable read' THEN PERFORM "
                   "pg_sleep(0.001); END IF; RETURN done IS NULL; END $$");
  job("blocks", "where = \"is_left(done)\"\n");
  Process process(trial_.command("run"));
  wait_for(
      [&] {
        return trial_.db().yes(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name LIKE 'pgsluice%lane%' AND "
            "state = "
            "'active' AND query LIKE '%is_left%' AND query NOT LIKE '%UPDATE%' AND query_start < now() - "
            "'0.1 "
            "s'::interval)");
      },
      2 * kPatience, "the check for rows left behind");
  Db other(trial_.dsn());
  other.exec("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE");
  EXPECT_TRUE(process.running());
  other.exec(is_left + "$$ BEGIN RETURN done IS NULL; END $$; COMMIT");
  EXPECT_EQ(process.wait(2 * kPatience).code, 0) << process.out() << process.err();
  EXPECT_THAT(process.out(), HasSubstr("the check for rows left behind in table"));
  expect_exact();
}

TEST_F(BlockWalk, StopsInterleavingWhileAnOldSnapshotKeepsPagesFromBeingPruned) {
  make_table(60'000);
  job("interleaved", kWhere, "[pool]\nlanes = 1\n[batch]\nrows = 1000\nrows_max = 1000");
  Db reader(trial_.dsn());
  reader.exec("BEGIN ISOLATION LEVEL REPEATABLE READ");
  reader.number("SELECT count(*) FROM t");
  expect_run();
  reader.exec("ROLLBACK");
  expect_exact();
  const auto tunes = trial_.logged("tune");
  const auto told = std::find_if(tunes.begin(), tunes.end(),
                                 [](const Json& tune) { return tune.value("field", "") == "walk"; });
  ASSERT_NE(told, tunes.end()) << Json(tunes).dump();
  EXPECT_THAT(told->dump(), HasSubstr("a transaction that was already open"));
  const auto is_again = [](const Json& tune) { return tune.value("cause", "") == "tried again"; };
  EXPECT_EQ(std::count_if(tunes.begin(), tunes.end(), is_again), 0) << "while it is open";
}

}  // namespace
}  // namespace pgsluice::test
