// Proves that replicas stream, can be held back in each way that the governor must notice, and come back.
#include <gtest/gtest.h>

#include "support/private_server.hpp"
#include "support/replica.hpp"

namespace pgsluice::test {
namespace {

class ReplicaTest : public ::testing::Test {
 protected:
  static constexpr const char* kWork = "INSERT INTO t SELECT generate_series(1, 1000)";

  void SetUp() override { primary_.connect().exec("CREATE TABLE t (n int)"); }

  /// Of the replica's replay behind the primary.
  std::int64_t bytes_behind() {
    return primary_.connect().number(
        "SELECT pg_wal_lsn_diff(pg_current_wal_flush_lsn(), replay_lsn)::bigint FROM pg_stat_replication");
  }

  PrivateServer primary_;
  Replica replica_{primary_};
};

TEST_F(ReplicaTest, ShowsThePrimarysRows) {
  primary_.connect().exec(kWork);
  replica_.await_caught_up();
  EXPECT_EQ(replica_.connect().number("SELECT count(*) FROM t"), 1000);
  EXPECT_EQ(primary_.connect().text("SELECT application_name FROM pg_stat_replication"), "replica1");
}

TEST_F(ReplicaTest, FallsBehindWhileReplayIsPaused) {
  replica_.await_caught_up();
  replica_.pause_replay();
  primary_.connect().exec(kWork);
  EXPECT_GT(bytes_behind(), 50'000);
  replica_.resume_replay();
  replica_.await_caught_up();
}

TEST_F(ReplicaTest, FallsBehindWhileItsReceiverIsStopped) {
  replica_.stop_receiver();
  primary_.connect().exec(kWork);
  EXPECT_GT(bytes_behind(), 50'000);
  replica_.continue_receiver();
  replica_.await_caught_up();
}

TEST_F(ReplicaTest, StandsStillWhileFrozenAndGoesOnAfterwards) {
  replica_.freeze();
  primary_.connect().exec(kWork);
  EXPECT_GT(bytes_behind(), 50'000);
  replica_.thaw();
  replica_.await_caught_up();
}

TEST_F(ReplicaTest, VanishesFromThePrimaryWhenKilledAndComesBack) {
  replica_.kill_hard();
  Db db = primary_.connect();
  wait_for([&] { return db.yes("SELECT count(*) = 0 FROM pg_stat_replication"); }, "the replica to vanish");
  replica_.start();
  replica_.await_streaming();
}

TEST_F(ReplicaTest, StreamsAgainAfterThePrimaryCrashed) {
  primary_.crash_and_restart();
  replica_.await_streaming();
}

TEST_F(ReplicaTest, TakesWritesOncePromoted) {
  replica_.await_caught_up();
  primary_.kill_hard();
  replica_.promote();
  Db db = replica_.connect();
  db.exec(kWork);
  EXPECT_EQ(db.number("SELECT count(*) FROM t"), 1000);
}

}  // namespace
}  // namespace pgsluice::test
