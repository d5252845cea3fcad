// Goal: the worst replica is found and named; one that is gone is unknown, never zero; what is no replica
// does not count. Method: readings as pg_stat_replication shows them, poll after poll.
#include "governor/signals/replica_lag.hpp"

#include <gtest/gtest.h>

namespace pgsluice::governor {
namespace {

using std::chrono::seconds;

constexpr Lsn kMega = 1024 * 1024;

ReplicaReading replica(const std::string& name, std::optional<Lsn> replay,
                       const std::string& address = "10.0.0.1") {
  return {name, address, "streaming", replay, false, false};
}

// A primary that writes 1 MB a second, read once a second.
class Watch {
 public:
  std::vector<Sample> see(const std::vector<ReplicaReading>& readings) {
    now_ += seconds{1};
    written_ += kMega;
    clock_.record(now_, written_);
    return replicas_.observe(readings, clock_, limits_, now_);
  }
  // A replica that is `behind` megabytes behind what the next reading finds.
  ReplicaReading at(const std::string& name, Lsn behind, const std::string& address = "10.0.0.1") const {
    return replica(name, written_ + kMega - behind * kMega, address);
  }
  void ignore(const std::string& name) { limits_.ignore = {name}; }
  Lsn written() const { return written_; }

 private:
  TimePoint now_{std::chrono::hours{1}};
  Lsn written_ = 1'000 * kMega;
  LsnClock clock_;
  ReplicaLag replicas_;
  ThrottleLimits limits_;
};

TEST(ReplicaLag, HasNoSampleWithoutAReplica) {
  Watch watch;
  EXPECT_TRUE(watch.see({}).empty());
}

TEST(ReplicaLag, GivesTimeAndBytesWithTheirLimits) {
  Watch watch;
  watch.see({});
  watch.see({});
  const auto samples = watch.see({watch.at("replica1", 2)});
  ASSERT_EQ(samples.size(), 2U);
  EXPECT_EQ(samples[0].name, "replica_lag");
  EXPECT_DOUBLE_EQ(samples[0].value, 2);
  EXPECT_DOUBLE_EQ(samples[0].limit, 2);
  EXPECT_EQ(samples[0].unit, "s");
  EXPECT_EQ(samples[1].name, "replica_lag_bytes");
  EXPECT_DOUBLE_EQ(samples[1].value, 2.0 * kMega);
  EXPECT_DOUBLE_EQ(samples[1].limit, 64.0 * kMega);
  EXPECT_EQ(samples[1].unit, "bytes");
}

TEST(ReplicaLag, NamesTheWorstReplica) {
  Watch watch;
  watch.see({});
  watch.see({});
  const auto samples = watch.see({watch.at("near", 0), watch.at("far", 2), watch.at("middle", 1)});
  EXPECT_EQ(samples[0].reason, "on far");
  EXPECT_EQ(samples[1].reason, "on far");
}

TEST(ReplicaLag, IsUnknownBehindOurFirstSample) {
  Watch watch;
  const auto samples = watch.see({watch.at("replica1", 1), watch.at("replica2", 0)});
  EXPECT_FALSE(samples[0].known);
  EXPECT_EQ(samples[0].reason, "replica_lag of replica1 is unknown: behind our first sample");
  EXPECT_TRUE(samples[1].known);
}

TEST(ReplicaLag, IsUnknownWhenAReplicaIsGoneAndSaysSinceWhen) {
  Watch watch;
  watch.see({watch.at("replica1", 0), watch.at("replica2", 0)});
  watch.see({watch.at("replica2", 0)});
  watch.see({watch.at("replica2", 0)});
  const auto samples = watch.see({watch.at("replica2", 0)});
  EXPECT_FALSE(samples[0].known);
  EXPECT_FALSE(samples[1].known);
  EXPECT_EQ(samples[0].reason, "replica replica1 is gone since 3 s");
}

TEST(ReplicaLag, IsUnknownWhenTheOnlyReplicaIsGone) {
  Watch watch;
  watch.see({watch.at("replica1", 0)});
  const auto samples = watch.see({});
  ASSERT_EQ(samples.size(), 2U);
  EXPECT_FALSE(samples[0].known);
}

TEST(ReplicaLag, GoesOnWhenTheReplicaIsBack) {
  Watch watch;
  watch.see({watch.at("replica1", 0)});
  watch.see({});
  EXPECT_TRUE(watch.see({watch.at("replica1", 0)})[0].known);
}

TEST(ReplicaLag, IsUnknownWhenAReplicaStopsShowingItsPosition) {
  Watch watch;
  watch.see({watch.at("replica1", 0)});
  const auto samples = watch.see({replica("replica1", std::nullopt)});
  EXPECT_FALSE(samples[0].known);
  EXPECT_EQ(samples[0].reason, "replica replica1 shows no replay position since 1 s");
}

TEST(ReplicaLag, CountsReplicasThatShareNameAndAddress) {
  Watch watch;
  watch.see({watch.at("walreceiver", 0), watch.at("walreceiver", 0)});
  watch.see({watch.at("walreceiver", 0), watch.at("walreceiver", 0)});
  const auto samples = watch.see({watch.at("walreceiver", 0)});
  EXPECT_FALSE(samples[0].known);
  EXPECT_EQ(samples[0].reason, "1 of 2 replicas named walreceiver is gone since 1 s");
}

TEST(ReplicaLag, TellsReplicasOfOneNameApartByAddress) {
  Watch watch;
  watch.see({watch.at("walreceiver", 0, "10.0.0.1"), watch.at("walreceiver", 0, "10.0.0.2")});
  watch.see({watch.at("walreceiver", 0, "10.0.0.1"), watch.at("walreceiver", 0, "10.0.0.2")});
  EXPECT_FALSE(watch.see({watch.at("walreceiver", 0, "10.0.0.2")})[0].known);
}

TEST(ReplicaLag, LetsAReplicaComeBackUnderAnotherAddress) {
  Watch watch;
  watch.see({watch.at("pod-1", 0, "10.0.0.1")});
  EXPECT_FALSE(watch.see({})[0].known);
  EXPECT_TRUE(watch.see({watch.at("pod-1", 0, "10.0.0.7")})[0].known);
  EXPECT_FALSE(watch.see({})[0].known);
}

TEST(ReplicaLag, LetsANewcomerStandInForOneReplicaOnly) {
  Watch watch;
  watch.see({watch.at("walreceiver", 0, "10.0.0.1"), watch.at("walreceiver", 0, "10.0.0.2")});
  EXPECT_FALSE(watch.see({watch.at("walreceiver", 0, "10.0.0.7")})[0].known);
  EXPECT_TRUE(
      watch.see({watch.at("walreceiver", 0, "10.0.0.7"), watch.at("walreceiver", 0, "10.0.0.8")})[0].known);
}

TEST(ReplicaLag, DoesNotMissAWalsenderThatAReconnectedReplicaLeftBehind) {
  for (const char* address : {"10.0.0.1", "10.0.0.7"}) {
    Watch watch;
    watch.see({watch.at("replica1", 0)});
    const ReplicaReading leftover = replica("replica1", watch.written());
    watch.see({leftover});
    watch.see({leftover, watch.at("replica1", 0, address)});
    watch.see({leftover, watch.at("replica1", 0, address)});
    EXPECT_TRUE(watch.see({watch.at("replica1", 0, address)})[0].known) << address;
  }
}

TEST(ReplicaLag, MissesAReplicaThatMovedOnAfterAnotherOneJoined) {
  Watch watch;
  watch.see({watch.at("walreceiver", 0, "10.0.0.1")});
  watch.see({watch.at("walreceiver", 0, "10.0.0.1"), watch.at("walreceiver", 0, "10.0.0.2")});
  watch.see({watch.at("walreceiver", 0, "10.0.0.1"), watch.at("walreceiver", 0, "10.0.0.2")});
  EXPECT_FALSE(watch.see({watch.at("walreceiver", 0, "10.0.0.2")})[0].known);
}

TEST(ReplicaLag, DoesNotTakeOtherWalsendersForReplicas) {
  Watch watch;
  ReplicaReading backup = watch.at("pg_basebackup", 0);
  backup.state = "backup";
  ReplicaReading other_backup = watch.at("backup", 0);
  other_backup.is_backup = true;
  ReplicaReading logical = watch.at("subscriber", 500);
  logical.is_logical = true;
  const ReplicaReading archive = replica("pg_receivewal", std::nullopt);
  EXPECT_TRUE(watch.see({backup, other_backup, logical, archive}).empty());
  EXPECT_TRUE(watch.see({}).empty()) << "nor miss them";
}

TEST(ReplicaLag, IgnoresReplicasThatAreLateOnPurposeAlsoWhenToldLater) {
  Watch watch;
  watch.see({watch.at("near", 0), watch.at("delayed", 500)});
  watch.ignore("delayed");
  const auto samples = watch.see({watch.at("near", 0), watch.at("delayed", 500)});
  EXPECT_TRUE(samples[0].known);
  EXPECT_EQ(samples[1].reason, "on near");
  EXPECT_TRUE(watch.see({watch.at("near", 0)})[0].known);
}

TEST(ReplicaLag, HasNoSampleWhenEveryReplicaIsIgnored) {
  Watch watch;
  watch.ignore("delayed");
  EXPECT_TRUE(watch.see({watch.at("delayed", 500)}).empty());
  EXPECT_TRUE(watch.see({}).empty());
}

}  // namespace
}  // namespace pgsluice::governor
