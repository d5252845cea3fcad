// Proves that a run ends when it is told to, says so by its exit code, and that its work goes on where it
// stopped.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "chaos/counted_job.hpp"
#include "support/shared_server.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

using std::chrono::milliseconds;

class Control : public ::testing::Test {
 protected:
  void SetUp() override { job_.slow_down(milliseconds{20}); }

  std::unique_ptr<Process> start_and_await_batches() {
    auto process = job_.start();
    job_.await_batches(6);
    return process;
  }

  void expect_end(Process& process, int code) {
    EXPECT_EQ(process.wait().code, code) << process.out() << process.err();
  }

  void say(const std::string& verb, const std::vector<std::string>& args = {}) {
    const auto finished = job_.trial().verb(verb, args);
    EXPECT_EQ(finished.code(), 0) << finished.out << finished.err;
  }

  /// The interrupted job finishes, and nothing was lost or doubled.
  void expect_rest() {
    job_.slow_down(milliseconds{0});
    job_.expect_run(0);
    job_.expect_finished();
  }

  /// Until the live run has renewed its lease this often (every 3 s).
  void await_heartbeats(int count) {
    const std::string ask = "SELECT max(heartbeat_at) FROM pgsluice.run WHERE ended_at IS NULL";
    for (int i = 0; i < count; ++i) {
      const auto before = job_.db().text(ask);
      wait_for([&] { return job_.db().text(ask) != before; }, "a heartbeat");
    }
  }

  bool is_paused() {
    return job_.db().number(
               "SELECT count(*) FROM pgsluice.event WHERE type = 'state' AND fields->>'to' = 'paused'") > 0;
  }

  CountedJob job_{{.rows = 10'000}};
};

TEST_F(Control, SigtermDrainsAndLeavesWork) {
  const auto process = start_and_await_batches();
  process->signal(SIGTERM);
  expect_end(*process, 75);
  EXPECT_LT(job_.db().number("SELECT sum(n) FROM counted"), 10'000);
  EXPECT_EQ(job_.db().number("SELECT sum(n) FROM counted"),
            job_.db().number("SELECT sum(rows_changed) FROM pgsluice.range"));
  EXPECT_EQ(job_.db().number("SELECT count(*) FROM pgsluice.range WHERE run_id IS NOT NULL AND NOT is_done"),
            0)
      << "a drained run gives its ranges back";
  expect_rest();
}

TEST_F(Control, TheSecondSigtermAbortsTheBatchesInFlight) {
  const auto process = start_and_await_batches();
  job_.slow_down(milliseconds{400});
  const auto is_slow = [](const Json& batch) { return batch.at("duration_s").get<double>() > 0.3; };
  wait_for(
      [&] {
        const auto batches = events_of(lines_of(*process), "batch");
        return std::any_of(batches.begin(), batches.end(), is_slow);
      },
      "a slow batch: those in flight would be over before the second signal");
  process->signal(SIGTERM);
  wait_for([&] { return !events_of(lines_of(*process), "state").empty(); }, "the drain");
  process->signal(SIGTERM);
  expect_end(*process, 75);
  expect_rest();
}

TEST_F(Control, ForEndsTheRunAfterThatTime) {
  const auto process = job_.start({"--for", "1s"});
  expect_end(*process, 75);
  expect_rest();
}

TEST_F(Control, TheCodeForWorkLeftCanBeReplaced) {
  const auto process = job_.start({"--for", "1s", "--yield-exit-code", "99"});
  expect_end(*process, 99);
}

TEST_F(Control, PauseHoldsARunRefusesANewOneAndResumeLetsItGoOn) {
  const auto process = start_and_await_batches();
  say("pause", {"--reason", "deploy"});
  wait_for([&] { return is_paused(); }, "the run to pause");
  job_.expect_run(6);
  await_heartbeats(1);  // a batch in flight is over by then
  const auto held_at = job_.batches();
  await_heartbeats(1);
  EXPECT_EQ(job_.batches(), held_at);
  EXPECT_TRUE(process->running());
  say("resume");
  job_.slow_down(milliseconds{0});
  expect_end(*process, 0);
  job_.expect_finished();
}

TEST_F(Control, CancelEndsTheRunAndKeepsItEndedUntilResumed) {
  const auto process = start_and_await_batches();
  say("cancel", {"--reason", "wrong expression"});
  expect_end(*process, 7);
  job_.expect_run(7);
  say("resume");
  expect_rest();
}

TEST_F(Control, SetChangesBatchesAndLanesOfALiveRun) {
  const auto process = start_and_await_batches();
  job_.slow_down(milliseconds{150});  // the run must outlive four commands, on a busy machine too
  say("set", {"batch.target=20s", "batch.rows_max=400", "batch.rows=400", "pool.lanes=4"});
  const auto has_changed = [&] {
    std::set<int> lanes;
    bool is_large = false;
    for (const auto& batch : events_of(lines_of(*process), "batch")) {
      lanes.insert(batch.at("lane").get<int>());
      is_large = is_large || batch.at("rows_visited").get<int>() == 400;
    }
    return lanes.size() == 4 && is_large;
  };
  wait_for(has_changed, "four lanes and batches of 400 rows");
  EXPECT_GE(job_.trial().logged("command").size(), 4U) << "every word of an operator is in the event log";
  job_.slow_down(milliseconds{0});
  expect_end(*process, 0);
  job_.expect_finished();
}

// The one range that is left is too short to be split.
TEST(Sharing, ASecondRunEndsWhenTheFirstHoldsEveryRange) {
  CountedJob job({.rows = 150});
  Db holder(job.trial().dsn());
  holder.exec("BEGIN; SELECT * FROM counted ORDER BY id DESC LIMIT 1 FOR UPDATE");
  const auto first = job.start({"--lanes", "1"});
  job.await_batches(2);
  const auto second = job.expect_run(11);
  EXPECT_NE(refusal_of(second).message.find("other live runs hold every range"), std::string::npos);
  holder.exec("COMMIT");
  EXPECT_EQ(first->wait().code, 0) << first->out() << first->err();
  job.expect_finished();
}

}  // namespace
}  // namespace pgsluice::test
