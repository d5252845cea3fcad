// Goal: the governor as a whole keeps replicas below their limits, uses what they can take, and does not
// swing. Method: a simulated primary, lanes and replica, 5 ms by 5 ms, through the same LSN clock, replica
// memory, decisions and room as a run. The replica replays at a rate of its own, so that its lag answers
// late, which is what makes a controller swing.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <random>

#include "governor/lsn_clock.hpp"
#include "governor/pace.hpp"
#include "governor/signals/replica_lag.hpp"
#include "governor/wal_room.hpp"

namespace pgsluice::governor {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTick{5};
constexpr double kTickS = 0.005;
constexpr milliseconds kReadForRoom{50};  // as the sampler reads
constexpr double kMega = 1024 * 1024;

struct Plant {
  double own_mb = 40;         // WAL that the lanes write a second, all together and never held
  double application_mb = 2;  // and everybody else
  double replay_mb = 20;      // what the replica can take
  int lanes = 2;
  double batch_s = 0.1;
  double flush_s = 0.2;  // batches commit asynchronously: a replica gets their WAL as late as this
};

struct Curve {
  double lag_p99 = 0;     // seconds, as it truly was
  double behind_max = 0;  // MB to replay, those not flushed included
  double own_mb = 0;      // written by the lanes
  double waited_s = 0;    // in a hold
  int turns = 0;          // times that the flow changed
};

class Simulation {
 public:
  explicit Simulation(const Plant& chosen) : plant(chosen), left_(static_cast<std::size_t>(chosen.lanes)) {
    limits.replica_lag_bytes = 1LL << 40;
  }

  Curve run(double seconds) {
    Curve curve;
    std::vector<double> lags;
    for (int i = 0; i < std::lround(seconds / kTickS); ++i) {
      const auto flow = decision_.flow;
      tick(curve);
      curve.turns += decision_.flow == flow ? 0 : 1;
      curve.waited_s += decision_.flow == Flow::kHold ? kTickS : 0;
      curve.behind_max = std::max(curve.behind_max, written_ - replayed_);
      lags.push_back(lag());
    }
    const auto p99 = lags.begin() + static_cast<std::ptrdiff_t>(static_cast<double>(lags.size()) * 0.99);
    std::nth_element(lags.begin(), p99, lags.end());
    curve.lag_p99 = *p99;
    return curve;
  }

  double batch_mb() const { return plant.own_mb / plant.lanes * plant.batch_s; }

  Plant plant;
  ThrottleLimits limits;

 private:
  static constexpr std::int64_t kRows = 1'000;  // of a batch

  struct Work {
    double mb = 0;  // that the batch has yet to write
    WalRoom::Batch batch = 0;
    std::int64_t rows = 0;
  };

  void tick(Curve& curve) {
    now_ += kTick;
    for (auto& lane : left_) work(lane, curve);
    written_ += plant.application_mb * kTickS;
    history_.push_back({now_, written_});
    while (now_ - history_.front().at > std::chrono::seconds{60}) history_.pop_front();
    replayed_ = std::min(flushed(), replayed_ + plant.replay_mb * kTickS);
    const bool wants_room = waiting_ > 0 && now_ - read_at_ >= kReadForRoom;
    if (now_ - read_at_ >= kPoll || wants_room) read();
  }

  void work(std::optional<Work>& lane, Curve& curve) {
    if (lane) {
      const double mb = std::min(lane->mb, plant.own_mb / plant.lanes * kTickS);
      written_ += mb;
      curve.own_mb += mb;
      lane->mb -= mb;
      if (lane->mb > 1e-9) return;
      room_.ended(now_, lane->batch, lane->rows);
      lane.reset();
    }
    const bool may_go = decision_.flow != Flow::kHold;
    // A run begins with a small batch, because it does not know yet how long one takes.
    const auto rows = may_go ? room_.rows_that_fit(room_.price() > 0 ? kRows : kRows / 20) : 0;
    if (may_go && rows == 0) ++waiting_;
    if (rows > 0) lane = Work{batch_mb() * static_cast<double>(rows) / kRows, room_.started(rows), rows};
  }

  void read() {
    clock_.record(now_, static_cast<Lsn>(flushed() * kMega));
    clock_.note_insert(static_cast<Lsn>(written_ * kMega));
    const ReplicaReading reading{"replica1", "",   "streaming", static_cast<Lsn>(replayed_ * kMega),
                                 false,      false};
    const auto samples = replicas_.observe({reading}, clock_, limits, now_);
    const double ticks = std::max(1.0, seconds_between(read_at_, now_) / kTickS);
    decision_ = decide(samples, decision_.next, now_, waiting_ / ticks / plant.lanes);
    room_.read(now_, clock_.insert(), decision_.room_bytes);
    waiting_ = 0;
    read_at_ = now_;
  }

  double flushed() const {
    const auto before = now_ - milliseconds{std::lround(plant.flush_s * 1'000)};
    const auto it = std::upper_bound(history_.begin(), history_.end(), before,
                                     [](TimePoint at, const Mark& mark) { return at < mark.at; });
    return it == history_.begin() ? std::min(written_, kBegan) : std::prev(it)->written;
  }

  /// Seconds since what the replica has replayed was flushed, with the next byte waiting.
  double lag() const {
    const auto next = std::upper_bound(history_.begin(), history_.end(), replayed_ + 1e-9,
                                       [](double mb, const Mark& mark) { return mb < mark.written; });
    if (next == history_.end()) return 0;
    return std::max(0.0, seconds_between(next->at, now_) - plant.flush_s);
  }

  struct Mark {
    TimePoint at;
    double written;
  };

  static constexpr double kBegan = 1'000;
  TimePoint now_{std::chrono::hours{1}};
  TimePoint read_at_;
  double written_ = kBegan;
  double replayed_ = kBegan;
  std::deque<Mark> history_;
  std::vector<std::optional<Work>> left_;
  double waiting_ = 0;
  LsnClock clock_;
  ReplicaLag replicas_;
  WalRoom room_;
  Decision decision_;
};

TEST(LagCurve, KeepsFullPaceWhileTheReplicaKeepsUp) {
  Simulation simulation({.own_mb = 15, .application_mb = 2, .replay_mb = 20});
  const Curve curve = simulation.run(120);
  EXPECT_EQ(curve.waited_s, 0);
  EXPECT_NEAR(curve.own_mb, 120 * 15, 15);
}

TEST(LagCurve, StaysBelowTheLimitInTimeAndUsesWhatTheReplicaCanTake) {
  for (const double own_mb : {25.0, 40.0, 200.0}) {
    for (const int limit_ms : {1'000, 10'000}) {
      SCOPED_TRACE("writes " + std::to_string(own_mb) + " MB/s, limit " + std::to_string(limit_ms) + " ms");
      Simulation simulation({.own_mb = own_mb, .application_mb = 2, .replay_mb = 20});
      simulation.limits.replica_lag = milliseconds{limit_ms};
      const Curve curve = simulation.run(60);
      EXPECT_LE(curve.lag_p99, 1.1 * limit_ms / 1'000);
      EXPECT_GE(curve.own_mb, 60 * 18 * 0.85);
      simulation.run(10);
      const Curve settled = simulation.run(60);
      EXPECT_LE(settled.waited_s, 3);
      EXPECT_LE(settled.turns, 12) << "the log must not be full of it";
    }
  }
}

TEST(LagCurve, NeverPassesTheLimitInBytesByMoreThanABatchOfEachLane) {
  for (const int lanes : {1, 2, 8}) {
    SCOPED_TRACE(lanes);
    Simulation simulation({.own_mb = 100, .application_mb = 0, .replay_mb = 200, .lanes = lanes});
    simulation.limits.replica_lag = std::chrono::hours{1};
    simulation.limits.replica_lag_bytes = 48LL * 1024 * 1024;
    EXPECT_GE(simulation.run(30).own_mb, 30 * 100 * 0.9) << "a replica that keeps up";
    simulation.plant.replay_mb = 0;
    const Curve paused = simulation.run(5);
    EXPECT_LE(paused.behind_max, 48 + lanes * simulation.batch_mb() + 0.1);
    EXPECT_EQ(simulation.run(5).own_mb, 0);
    simulation.plant.replay_mb = 200;
    EXPECT_GT(simulation.run(1).own_mb, 0) << "going again within a second";
    simulation.run(4);
    EXPECT_GE(simulation.run(5).own_mb, 5 * 100 * 0.9) << "at full speed within five";
  }
}

TEST(LagCurve, RecoversFullPaceAfterTheReplicaWasSlowForAWhile) {
  Simulation simulation({.own_mb = 15, .application_mb = 0, .replay_mb = 20});
  simulation.run(10);
  simulation.plant.replay_mb = 1;
  EXPECT_LE(simulation.run(60).own_mb, 15 * 3 + 60);
  simulation.plant.replay_mb = 60;
  simulation.run(5);
  EXPECT_NEAR(simulation.run(60).own_mb, 60 * 15, 15);
}

TEST(LagCurve, WaitsWhileOthersAloneAreMoreThanTheReplicaCanTake) {
  Simulation simulation({.own_mb = 40, .application_mb = 2, .replay_mb = 20});
  simulation.run(30);
  simulation.plant.application_mb = 30;
  simulation.run(10);
  EXPECT_EQ(simulation.run(10).own_mb, 0);
  simulation.plant.application_mb = 0;
  simulation.run(30);
  EXPECT_GE(simulation.run(30).own_mb, 30 * 20 * 0.85);
}

TEST(LagCurve, KeepsItsPromisesUnderAnyPlant) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto any = [&random](double least, double most) {
    return std::exp(std::uniform_real_distribution<double>(std::log(least), std::log(most))(random));
  };
  for (int i = 0; i < 24; ++i) {
    Plant plant{any(2, 300), any(0.01, 0.5), any(1, 300)};
    plant.lanes = std::uniform_int_distribution<int>(1, 8)(random);
    plant.batch_s = kTickS * std::uniform_int_distribution<int>(2, 40)(random);
    Simulation simulation(plant);
    simulation.limits.replica_lag = milliseconds{std::lround(any(1'000, 10'000))};
    simulation.limits.replica_lag_bytes = std::lround(any(16, 512) * kMega);
    SCOPED_TRACE("writes " + std::to_string(plant.own_mb) + " and " + std::to_string(plant.application_mb) +
                 " MB/s, replays " + std::to_string(plant.replay_mb) + ", lanes " +
                 std::to_string(plant.lanes) + ", batches of " + std::to_string(plant.batch_s) +
                 " s, limits " + std::to_string(simulation.limits.replica_lag.count()) + " ms and " +
                 std::to_string(static_cast<double>(simulation.limits.replica_lag_bytes) / kMega) + " MB");
    simulation.run(15);  // until a replica of 1 MB/s has replayed what it got before it was known
    const Curve curve = simulation.run(60);
    const double limit_s = std::chrono::duration<double>(simulation.limits.replica_lag).count();
    const double limit_mb = static_cast<double>(simulation.limits.replica_lag_bytes) / kMega;
    EXPECT_LE(curve.lag_p99, 1.25 * limit_s) << "a batch may be many times what the replica can take";
    EXPECT_LE(curve.behind_max, limit_mb + plant.lanes * simulation.batch_mb() + plant.application_mb);
    const double possible = std::min(plant.own_mb, plant.replay_mb - plant.application_mb);
    // What fits below the limit in bytes between two readings, with what is not flushed yet and batches in
    // work.
    const double in_work = std::min(limit_mb / 2, plant.lanes * simulation.batch_mb());
    const double fits = (limit_mb - in_work - plant.application_mb) / 2 / (plant.flush_s + 0.1);
    EXPECT_GE(curve.own_mb, 60 * 0.8 * std::min(possible, fits));
    simulation.plant.replay_mb = 0;
    simulation.run(limit_s + 1);
    EXPECT_EQ(simulation.run(5).own_mb, 0) << "replay stands still";
    if (::testing::Test::HasFailure()) break;
  }
}

}  // namespace
}  // namespace pgsluice::governor
