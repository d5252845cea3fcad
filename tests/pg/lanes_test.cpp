// Goal: every lane works until the end, and progress is honest, whatever the statistics say of the table.
// Method: the real program with four lanes on rows that take their time, on tables whose statistics are
// absent, old by a factor of 1,000, of other pages, or hide where the rows are; its own status events are the
// measure.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "pg/trial.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

constexpr double kRows = 24'000;

/// With a batch in work.
constexpr double kBusyLeast = 0.9;

class Lanes : public testing::Test {
 protected:
  Lanes() {
    trial_.db().exec(
        "CREATE FUNCTION nap(int) RETURNS int LANGUAGE plpgsql VOLATILE AS"
        " 'BEGIN PERFORM pg_sleep(0.0004); RETURN $1; END'");
  }

  /// A table of kRows rows, of which no autovacuum tells anything.
  void make(const std::string& columns, const std::string& rows) {
    trial_.db().exec("CREATE TABLE t (" + columns +
                     ", n int) WITH (autovacuum_enabled = off); INSERT INTO t " + rows);
  }
  void make_plain() { make("id int PRIMARY KEY", "SELECT g FROM generate_series(1, 24000) g"); }

  struct Seen {
    std::int64_t rows = 0;          // changed in the end
    double busy = 0;                // share of the lanes at work, on average
    double ahead = 0;               // percent shown above what is true, at most
    std::int64_t too_early = 0;     // times that more than 99 % was shown with more than 1 % to do
    std::int64_t with_percent = 0;  // times that a percentage was shown
    std::int64_t timeouts = 0;      // batches that ran into their statement_timeout
  };

  Seen run(const std::string& walk = "keyset") {
    trial_.job(backfill_job("t", "n = \"nap(1)\"", "walk = \"" + walk + "\"\nwhere = \"n IS NULL\"\n",
                            "[pool]\nlanes = 4\n[batch]\nrows = 100\n[throttle]\nslowdown = 1000000\n"));
    Process process(trial_.command("run"));
    Seen seen;
    seen.busy = watch(process);
    EXPECT_EQ(process.wait().code, 0) << process.out() << process.err();
    seen.rows = trial_.db().number("SELECT sum(n) FROM t");
    look_at(events_of(process.out(), "status"), seen);
    for (const auto& failed : events_of(process.out(), "batch_failed"))
      seen.timeouts += failed.at("sqlstate") == "57014" ? 1 : 0;
    return seen;
  }

  /// From the first committed batch to the last, as the server sees it.
  double watch(Process& process) {
    await_batches(trial_);
    double active = 0;
    double looks = 0;
    const auto look = [&] {
      if (trial_.db().number("SELECT count(*) FROM pgsluice.range WHERE NOT is_done") == 0) return true;
      active += static_cast<double>(
          trial_.db().number("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND"
                             " application_name LIKE 'pgsluice % lane %' AND state <> 'idle'"));
      ++looks;
      return !process.running();
    };
    wait_for(look, 2 * kPatience, "the end of the walk");
    EXPECT_GT(looks, 20) << "too short to tell";
    return active / 4 / looks;
  }

  /// Of the rows that the run changed; those that it only came by are no part of the truth.
  static void look_at(const std::vector<Json>& statuses, Seen& seen) {
    for (const auto& status : statuses) {
      if (status.at("kind") != "backfill" || !status.at("percent").is_number()) continue;
      const auto percent = status.at("percent").get<double>();
      const auto rows = status.at("rows_changed").get<double>();
      const auto truth = 100 * rows / static_cast<double>(seen.rows);
      ++seen.with_percent;
      seen.ahead = std::max(seen.ahead, percent - truth);
      if (percent > 99 && truth < 99) ++seen.too_early;
    }
  }

  void expect_well(const Seen& seen) {
    EXPECT_EQ(seen.rows, static_cast<std::int64_t>(kRows));
    EXPECT_GE(seen.busy, kBusyLeast);
    EXPECT_EQ(seen.too_early, 0);
    EXPECT_LT(seen.ahead, 15);
    EXPECT_GT(seen.with_percent, 0);
  }

  Trial trial_;
};

TEST_F(Lanes, WorkWithoutStatistics) {
  make_plain();
  expect_well(run());
}

TEST_F(Lanes, WorkOnATableThatGrewAThousandfold) {
  make("id int PRIMARY KEY", "SELECT g FROM generate_series(1, 24) g");
  trial_.db().exec("ANALYZE t; INSERT INTO t SELECT g FROM generate_series(25, 24000) g");
  expect_well(run());
}

TEST_F(Lanes, WorkOnPagesThatHoldAThousandTimesLessThanTheyDid) {
  make_plain();
  trial_.db().exec("ANALYZE t; UPDATE pg_class SET reltuples = reltuples * 1000 WHERE oid = 't'::regclass");
  expect_well(run());
}

TEST_F(Lanes, WorkOnPagesThatHoldAThousandTimesMoreThanTheyDid) {
  make_plain();
  trial_.db().exec("ANALYZE t; UPDATE pg_class SET reltuples = reltuples / 1000 WHERE oid = 't'::regclass");
  expect_well(run());
}

TEST_F(Lanes, WorkBesideATenantWithNineRowsOfTen) {
  make("tenant int, id int, PRIMARY KEY (tenant, id)",
       "SELECT CASE WHEN g % 10 = 0 THEN g % 97 ELSE 42 END, g FROM generate_series(1, 24000) g");
  expect_well(run());
}

TEST_F(Lanes, WorkOnPagesThatAreMostlyEmpty) {
  make("id int PRIMARY KEY, filler text", "SELECT g, repeat('x', 100) FROM generate_series(1, 480000) g");
  trial_.db().exec("ANALYZE t; DELETE FROM t WHERE id % 20 <> 0");
  expect_well(run());
}

TEST_F(Lanes, WorkWhereOnlyTheLastTenthMatches) {
  make("id int PRIMARY KEY", "SELECT g FROM generate_series(1, 24000) g");
  trial_.db().exec("INSERT INTO t SELECT -g, 0 FROM generate_series(1, 216000) g; ANALYZE t");
  const auto seen = run();
  EXPECT_EQ(seen.rows, static_cast<std::int64_t>(kRows));
  // Batches grow where nothing matches; the first where rows do are cancelled.
  EXPECT_GE(seen.busy, 0.8);
}

TEST_F(Lanes, GrowNoBatchThatTheNextStretchCannotBear) {
  make("id int PRIMARY KEY",
       "SELECT g, CASE WHEN g <= 4000 OR g > 1004000 THEN NULL ELSE 0 END"
       " FROM generate_series(1, 1008000) g; ANALYZE t");
  const auto seen = run();
  EXPECT_EQ(seen.rows, 8'000);
  // What a row that changes takes is known once the first batch of them has committed.
  EXPECT_LE(seen.timeouts, 1) << "six without a bound";
}

TEST_F(Lanes, WorkByBlocksWithOldStatistics) {
  make("id int, filler text", "SELECT g, repeat('x', 300) FROM generate_series(1, 240) g");
  trial_.db().exec(
      "ANALYZE t; INSERT INTO t SELECT g, repeat('x', 300) FROM generate_series(241, 24000) g;"
      "UPDATE pg_class SET reltuples = reltuples / 1000 WHERE oid = 't'::regclass");
  expect_well(run("blocks"));
}

TEST_F(Lanes, KeepProgressHonestWhileRowsCome) {
  make("id int PRIMARY KEY", "SELECT g * 12 FROM generate_series(1, 2000) g");
  // The first batch brings eleven rows for each, most of them before the walk.
  trial_.db().exec(
      "CREATE FUNCTION grow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN"
      " IF NOT EXISTS (SELECT FROM t WHERE id = 1) THEN"
      " INSERT INTO t SELECT g FROM generate_series(1, 24000) g ON CONFLICT DO NOTHING; END IF; RETURN NULL; "
      "END';"
      "CREATE TRIGGER grow AFTER UPDATE ON t FOR EACH STATEMENT EXECUTE FUNCTION grow()");
  const auto seen = run();
  EXPECT_GT(seen.rows, 10'000);
  EXPECT_EQ(seen.too_early, 0);
  EXPECT_GE(seen.busy, kBusyLeast);
}

}  // namespace
}  // namespace pgsluice::test
