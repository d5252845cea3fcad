// Proves P4 against real replicas: a run holds while one is late or gone, says why, and goes on by itself.
#include <gtest/gtest.h>

#include "chaos/counted_job.hpp"
#include "support/replica.hpp"
#include "support/wait_for.hpp"

namespace pgsluice::test {
namespace {

using std::chrono::milliseconds;

class Throttle : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    primary_ = std::make_unique<PrivateServer>();
    replica_ = std::make_unique<Replica>(*primary_);
  }
  static void TearDownTestSuite() {
    replica_.reset();
    primary_.reset();
  }

  static CountedJob::Options options(const std::string& throttle) {
    return {.rows = 20'000, .settings = "[throttle]\n" + throttle};
  }

  void begin(CountedJob& job) {
    replica_->await_caught_up();
    job.slow_down(milliseconds{20});
    process_ = job.start();
    job.await_batches(6);
  }

  /// The latest word of the governor in the job's log.
  std::string flow(CountedJob& job, const std::string& field = "state") {
    const auto words =
        job.db().column("SELECT fields->>'" + field +
                        "' FROM pgsluice.event WHERE type = 'throttle' ORDER BY event_id DESC LIMIT 1");
    return words.empty() ? "" : words.front();
  }

  /// Until the run holds, and no batch is committed any more.
  void expect_hold(CountedJob& job, const std::string& signal, const std::string& reason) {
    wait_for([&] { return flow(job) == "hold" && flow(job, "signal") == signal; }, 2 * kPatience,
             "the run to hold for " + signal);
    EXPECT_NE(flow(job, "reason").find(reason), std::string::npos) << flow(job, "reason");
    wait_for([&] { return !is_in_batch(job); }, "the batches in flight");
    const auto held_at = job.batches();
    const auto status_says_why = [&] {
      return job.trial().verb("status").out.find(reason) != std::string::npos;
    };
    wait_for(status_says_why, "the reason in `status`, which the next heartbeat brings");
    EXPECT_EQ(job.batches(), held_at);
  }

  bool is_in_batch(CountedJob& job) {
    return job.db().yes(
        "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND state <> 'idle' "
        "AND "
        "application_name ~ 'pgsluice .* lane'");
  }

  void expect_end(CountedJob& job) {
    wait_for([&] { return flow(job) != "hold"; }, 2 * kPatience, "the run to go on");
    job.slow_down(milliseconds{0});
    ASSERT_EQ(process_->wait(3 * kPatience).code, 0) << process_->out() << process_->err();
    const auto summary = summary_of({{}, process_->out(), process_->err()});
    EXPECT_GT(summary.at("held_s").get<double>(), 0);
    job.expect_finished();
  }

  static std::unique_ptr<PrivateServer> primary_;
  static std::unique_ptr<Replica> replica_;
  std::unique_ptr<Process> process_;
};

std::unique_ptr<PrivateServer> Throttle::primary_;
std::unique_ptr<Replica> Throttle::replica_;

TEST_F(Throttle, HoldsWhileReplayStandsStillAndGoesOnAfterwards) {
  CountedJob job(*primary_, options("replica_lag = \"1s\""));
  begin(job);
  replica_->pause_replay();
  expect_hold(job, "replica_lag", "on replica1");
  replica_->resume_replay();
  expect_end(job);
  EXPECT_GE(summary_of({{}, process_->out(), process_->err()}).at("lag_max_s").get<double>(), 1)
      << "held at the limit";
}

TEST_F(Throttle, HoldsForBytesLongBeforeTheLagInTimeSaysAnything) {
  CountedJob job(*primary_, options("replica_lag = \"1h\"\nreplica_lag_bytes = \"64kB\""));
  begin(job);
  replica_->pause_replay();
  expect_hold(job, "replica_lag_bytes", "on replica1");
  replica_->resume_replay();
  expect_end(job);
}

TEST_F(Throttle, LeavesNoMoreOutstandingThanTheLimitAndABatchOfEachLane) {
  CountedJob job(*primary_, {.rows = 100'000,
                             .batch_rows = 2'000,
                             .settings = "[throttle]\nreplica_lag = \"1h\"\nreplica_lag_bytes = \"4MB\"\n"});
  begin(job);
  replica_->pause_replay();
  job.slow_down(milliseconds{0});
  wait_for([&] { return flow(job) == "hold" && flow(job, "signal") == "replica_lag_bytes"; }, 2 * kPatience,
           "the run to hold");
  wait_for([&] { return !is_in_batch(job); }, "the batches in flight");
  const auto outstanding = job.db().number(
      "SELECT max(pg_wal_lsn_diff(pg_current_wal_insert_lsn(), replay_lsn))::bigint FROM "
      "pg_stat_replication");
  // A row of this table writes less than 400 bytes.
  EXPECT_LE(outstanding, 4 * 1024 * 1024 + 2 * 2'000 * 400);
  EXPECT_GE(outstanding, 2 * 1024 * 1024) << "the room is used";
  replica_->resume_replay();
  expect_end(job);
}

TEST_F(Throttle, HoldsWhileTheReplicaReceivesNothing) {
  CountedJob job(*primary_, options("replica_lag = \"1s\""));
  begin(job);
  replica_->stop_receiver();
  expect_hold(job, "replica_lag", "on replica1");
  replica_->continue_receiver();
  expect_end(job);
}

TEST_F(Throttle, HoldsWhenTheReplicaIsGoneUntilItIsBack) {
  CountedJob job(*primary_, options("replica_lag = \"1s\""));
  begin(job);
  replica_->kill_hard();
  expect_hold(job, "replica_lag", "replica replica1 is gone");
  replica_->start();
  replica_->await_streaming();
  expect_end(job);
}

TEST_F(Throttle, GoesOnWithoutAReplicaThatTheOperatorIgnores) {
  CountedJob job(*primary_, options("replica_lag = \"1s\""));
  begin(job);
  replica_->pause_replay();
  wait_for([&] { return flow(job) == "hold"; }, "the hold");
  EXPECT_EQ(job.trial().verb("set", {"throttle.ignore=replica1"}).code(), 0);
  expect_end(job);
  replica_->resume_replay();
}

TEST_F(Throttle, GivesUpAfterItsTimeWithWorkLeft) {
  CountedJob job(*primary_, options("replica_lag = \"1s\"\ngive_up = \"3s\""));
  begin(job);
  replica_->pause_replay();
  EXPECT_EQ(process_->wait().code, 75) << process_->out() << process_->err();
  EXPECT_NE(
      summary_of({{}, process_->out(), process_->err()}).at("reason").get<std::string>().find("held for"),
      std::string::npos);
  replica_->resume_replay();
  replica_->await_caught_up();
  job.slow_down(milliseconds{0});
  job.expect_run(0);
  job.expect_finished();
}

}  // namespace
}  // namespace pgsluice::test
