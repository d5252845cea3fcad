// Goal: the governor as a whole keeps replicas near their limit without swinging. Method: a simulated primary
// and replica, poll by poll, through the same LSN clock, replica memory and decisions as a run; the replica
// replays at a fixed rate, so that its lag answers late, which is what makes a controller swing.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "governor/lsn_clock.hpp"
#include "governor/pace.hpp"
#include "governor/signals/replica_lag.hpp"

namespace pgsluice::governor {
namespace {

constexpr double kPollS = 0.25;
constexpr double kMega = 1024 * 1024;

struct Plant {
  double own_mb = 40;         // WAL that the lanes write a second at full pace
  double application_mb = 2;  // and everybody else
  double replay_mb = 20;      // what the replica can take
};

struct Curve {
  double lag_max = 0;  // seconds
  double own_mb = 0;   // written by the lanes
  double held_s = 0;
  int holds = 0;  // times that a hold began
  double pace_min = 1;
  double pace_max = 0;
};

class Simulation {
 public:
  explicit Simulation(const Plant& chosen) : plant(chosen) { limits.replica_lag_bytes = 1LL << 40; }

  Curve run(double seconds) {
    Curve curve;
    for (int i = 0; i < std::lround(seconds / kPollS); ++i) step(curve);
    return curve;
  }

  Plant plant;
  ThrottleLimits limits;

 private:
  void step(Curve& curve) {
    now_ += kPoll;
    const double own = plant.own_mb * decision_.pace * kPollS;
    written_ += own + plant.application_mb * kPollS;
    replayed_ = std::min(written_, replayed_ + plant.replay_mb * kPollS);
    clock_.record(now_, static_cast<Lsn>(written_ * kMega));
    const ReplicaReading reading{"replica1", "",   "streaming", static_cast<Lsn>(replayed_ * kMega),
                                 false,      false};
    const auto samples = replicas_.observe({reading}, clock_, limits, now_);
    const bool was_held = decision_.flow == Flow::kHold;
    decision_ = decide(samples, decision_.next, now_);

    curve.own_mb += own;
    curve.lag_max = std::max(curve.lag_max, samples[0].value);
    curve.pace_min = std::min(curve.pace_min, decision_.pace);
    curve.pace_max = std::max(curve.pace_max, decision_.pace);
    if (decision_.flow != Flow::kHold) return;
    curve.held_s += kPollS;
    curve.holds += was_held ? 0 : 1;
  }

  TimePoint now_{std::chrono::hours{1}};
  double written_ = 1'000;
  double replayed_ = 1'000;
  LsnClock clock_;
  ReplicaLag replicas_;
  Decision decision_;
};

TEST(LagCurve, KeepsFullPaceWhileTheReplicaKeepsUp) {
  Simulation simulation({.own_mb = 15, .application_mb = 2, .replay_mb = 20});
  const Curve curve = simulation.run(120);
  EXPECT_EQ(curve.held_s, 0);
  EXPECT_EQ(curve.holds, 0);
  EXPECT_NEAR(curve.own_mb, 120 * 15, 15);
}

TEST(LagCurve, OvershootsTheLimitByNoMoreThanTheOverloadOfTheFirstSwing) {
  Simulation simulation({.own_mb = 40, .application_mb = 2, .replay_mb = 20});
  const double overload =
      42.0 / 20;  // what is on its way when the limit is reached takes this much longer to replay
  EXPECT_LE(simulation.run(30).lag_max, 2.0 * overload + 1);
}

TEST(LagCurve, SettlesNearTheLimitAndUsesTheReplicasCapacity) {
  for (const double own_mb : {25.0, 40.0, 80.0, 200.0}) {
    SCOPED_TRACE(own_mb);
    Simulation simulation({.own_mb = own_mb, .application_mb = 2, .replay_mb = 20});
    simulation.run(200);
    const Curve settled = simulation.run(600);
    EXPECT_LE(settled.lag_max, 3.25);
    EXPECT_LE(settled.holds, 40);
    EXPECT_LE(settled.held_s, 120);
    EXPECT_GE(settled.own_mb, 600 * 18 * 0.9);
  }
}

TEST(LagCurve, BoundsTheFirstSwingByTheLimitInBytes) {
  Simulation simulation({.own_mb = 200, .application_mb = 2, .replay_mb = 20});
  simulation.limits = ThrottleLimits{};
  EXPECT_LE(simulation.run(300).lag_max, 64 * 2 / 18.0);
}

TEST(LagCurve, RecoversFullPaceAfterTheReplicaWasSlowForAWhile) {
  Simulation simulation({.own_mb = 15, .application_mb = 2, .replay_mb = 20});
  simulation.run(10);
  simulation.plant.replay_mb = 1;
  EXPECT_GT(simulation.run(20).held_s, 5);
  simulation.plant.replay_mb = 60;
  simulation.run(60);
  EXPECT_EQ(simulation.run(60).pace_min, 1);
}

TEST(LagCurve, HoldsUnderAnyReplicaThatStandsStill) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> rate(1, 200);
  for (int i = 0; i < 20; ++i) {
    Simulation simulation({.own_mb = rate(random), .application_mb = 2, .replay_mb = rate(random)});
    simulation.run(30);
    simulation.plant.replay_mb = 0;
    simulation.run(2 * 2 + 1);
    EXPECT_EQ(simulation.run(5).own_mb, 0);
  }
}

}  // namespace
}  // namespace pgsluice::governor
