// Goal: a row that somebody keeps locked is named with who holds it, holds up no other row, and is given up
// like any other hold; every row is changed once all the same.
// Method: the real program on rows that count how often they were changed, beside a session that keeps its
// transaction open.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/trial.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class LockedRow : public testing::Test {
 protected:
  LockedRow() {
    trial_.db().exec(
        "CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL DEFAULT 0, is_done boolean);"
        "INSERT INTO t SELECT g FROM generate_series(1, 20000) g; ANALYZE t");
    holder_.exec("SET application_name = 'nightly report'");
  }

  void job(const std::string& walk, int lanes, const std::string& give_up = "1h") {
    trial_.job(backfill_job(
        "t", "n = \"n + 1\", is_done = \"true\"", "walk = \"" + walk + "\"\nwhere = \"is_done IS NULL\"\n",
        "[pool]\nlanes = " + std::to_string(lanes) +
            "\n[batch]\nrows = 500\n[throttle]\nslowdown = 1000000\ngive_up = \"" + give_up + "\"\n"));
  }

  void hold(const std::string& what) { holder_.exec("BEGIN; " + what); }
  void hold_row(int id) { hold("SELECT FROM t WHERE id = " + std::to_string(id) + " FOR UPDATE"); }
  void let_go() { holder_.exec("ROLLBACK"); }
  std::string holder_pid() { return "pid " + std::to_string(holder_.backend_pid()) + " ("; }

  std::int64_t rows_left() { return trial_.db().number("SELECT count(*) FROM t WHERE is_done IS NULL"); }
  void await_left(std::int64_t rows) {
    wait_for([&] { return rows_left() <= rows; }, "all rows but " + std::to_string(rows));
  }
  std::string progress() {
    return trial_.db().text("SELECT progress FROM pgsluice.run ORDER BY started_at DESC LIMIT 1");
  }
  void await_progress(const std::string& words) {
    wait_for([&] { return progress().find(words) != std::string::npos; }, "the run to say: " + words);
  }
  void expect_each_once() {
    EXPECT_EQ(trial_.db().number("SELECT count(*) FROM t WHERE n = 1"),
              trial_.db().number("SELECT count(*) FROM t"));
  }
  void expect_ends_well(Process& process) {
    EXPECT_EQ(process.wait().code, 0) << process.out() << process.err();
    expect_each_once();
  }

  Trial trial_;
  Db holder_{trial_.dsn()};
};

TEST_F(LockedRow, HoldsUpNoOtherRow) {
  job("keyset", 1);
  hold_row(7'000);
  Process process(trial_.command("run"));
  await_left(1);
  await_progress("row 7000 of table \"public\".\"t\" is locked by " + holder_pid());
  EXPECT_THAT(progress(), AllOf(HasSubstr("nightly report"), HasSubstr("idle in transaction"),
                                HasSubstr("nothing else is left to do")));
  let_go();
  expect_ends_well(process);
}

TEST_F(LockedRow, ShrinksNoBatchOfOthers) {
  job("keyset", 1);
  hold_row(100);
  Process process(trial_.command("run"));
  await_left(1);
  let_go();
  expect_ends_well(process);
  for (const auto& tune : events_of(process.out(), "tune"))
    EXPECT_EQ(tune.at("cause").get<std::string>().find("timeout"), std::string::npos) << tune;
}

TEST_F(LockedRow, SaysSoInTheEventLogOnce) {
  job("keyset", 2);
  hold_row(7'000);
  Process process(trial_.command("run"));
  await_left(1);
  await_progress("is locked by");
  let_go();
  expect_ends_well(process);
  std::vector<std::string> warnings;
  for (const auto& warning : events_of(process.out(), "warning"))
    warnings.push_back(warning.at("message").get<std::string>());
  EXPECT_THAT(warnings, testing::ElementsAre(AllOf(HasSubstr("row 7000"), HasSubstr(holder_pid()),
                                                   HasSubstr("left for later"))));
}

TEST_F(LockedRow, FirstAndLastRowsOfAllLanes) {
  job("keyset", 4);
  hold("SELECT FROM t WHERE id IN (1, 2, 9999, 10000, 20000) FOR UPDATE");
  Process process(trial_.command("run"));
  await_left(5);
  let_go();
  expect_ends_well(process);
}

TEST_F(LockedRow, OfAWalkOverBlocksHoldsUpItsPageOnly) {
  trial_.db().exec("ALTER TABLE t DROP CONSTRAINT t_pkey");
  job("blocks", 2);
  const auto on_page = trial_.db().number(
      "SELECT count(*) FROM t WHERE (ctid::text::point)[0] = (SELECT (ctid::text::point)[0]"
      " FROM t WHERE id = 7000)");
  hold_row(7'000);
  Process process(trial_.command("run"));
  await_left(on_page);
  await_progress("a row of table \"public\".\"t\" is locked by " + holder_pid());
  let_go();
  expect_ends_well(process);
}

TEST_F(LockedRow, IsGivenUpLikeAnyOtherHold) {
  job("keyset", 2, "3s");
  hold_row(7'000);
  const auto finished = trial_.run();
  EXPECT_EQ(finished.code(), 75);
  EXPECT_EQ(rows_left(), 1);
  EXPECT_THAT(summary_of(finished).at("reason").get<std::string>(),
              AllOf(HasSubstr("held for 3.0 s"), HasSubstr("row 7000"), HasSubstr(holder_pid())));
  let_go();
  EXPECT_EQ(trial_.run().code(), 0);
  expect_each_once();
}

TEST_F(LockedRow, IsNoReasonOfARunThatSomebodyPauses) {
  job("keyset", 1, "8s");
  hold_row(7'000);
  Process process(trial_.command("run"));
  await_left(1);
  await_progress("is locked by");
  EXPECT_EQ(trial_.verb("pause", {"--reason", "peak hour"}).code(), 0);
  EXPECT_EQ(process.wait().code, 6) << process.out() << process.err();
  EXPECT_THAT(events_of(process.out(), "summary").back().at("reason").get<std::string>(),
              HasSubstr("peak hour"));
}

TEST_F(LockedRow, IsAmongTheRangesOfTheNextRunAfterSigkill) {
  job("keyset", 2);
  hold_row(7'000);
  {
    Process process(trial_.command("run"));
    await_left(1);
    kill_program(trial_, process);
  }
  let_go();
  EXPECT_EQ(trial_.run().code(), 0);
  expect_each_once();
}

TEST_F(LockedRow, ManyOfThemAreAllWaitedFor) {
  job("keyset", 2);
  hold("SELECT FROM t WHERE id % 200 = 0 FOR UPDATE");
  Process process(trial_.command("run"));
  wait_for([&] { return events_of(process.out(), "warning").size() >= 10; }, 2 * kPatience,
           "rows left for later");
  let_go();
  expect_ends_well(process);
}

TEST_F(LockedRow, AndATableThatIsLockedFromItsReadersTooStopsNoLaneForGood) {
  job("keyset", 4);
  trial_.db().exec("INSERT INTO t SELECT g FROM generate_series(20001, 60000) g");
  Process process(trial_.command("run"));
  // Lanes measure what is left, to split it, whenever one has no range.
  for (int i = 0; i < 5; ++i) {
    await_batches(trial_, 1 + i);
    hold("LOCK TABLE t IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(0.4)");
    let_go();
  }
  expect_ends_well(process);
}

TEST_F(LockedRow, AndATableThatIsLockedIsNotTakenForOne) {
  trial_.db().exec("INSERT INTO t SELECT g FROM generate_series(20001, 100000) g");
  job("keyset", 2, "3s");
  Process process(trial_.command("run"));
  await_batches(trial_);
  hold("LOCK TABLE t IN SHARE MODE");
  EXPECT_EQ(process.wait().code, 75);
  EXPECT_THAT(events_of(process.out(), "summary").back().at("reason").get<std::string>(),
              HasSubstr("held for 3.0 s: table \"public\".\"t\" is locked by " + holder_pid()));
  EXPECT_THAT(events_of(process.out(), "warning"), testing::IsEmpty());
  let_go();
  EXPECT_EQ(trial_.run().code(), 0);
  expect_each_once();
}

}  // namespace
}  // namespace pgsluice::test
