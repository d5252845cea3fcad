// Goal: what our batches cost others is told from who is at work beside them and between them, and what
// others do by themselves is not ours. Method: looks as a simulated application gives them.
#include "governor/signals/slowdown.hpp"

#include <gtest/gtest.h>

#include <random>

#include "governor/pace.hpp"

namespace pgsluice::governor {
namespace {

constexpr WorkReading kBeside{0, 1};

const TimePoint kNow{std::chrono::hours{1}};

// As many looks beside batches as between them.
void look(Slowdown& slowdown, int times, int others_beside, int others_between) {
  for (int i = 0; i < times; ++i) {
    slowdown.observe({others_beside, 1});
    slowdown.observe({others_between, 0});
  }
}

Sample sample_of(const Slowdown& slowdown) {
  return slowdown.sample(ThrottleLimits{}, 1, kNow);
}

TEST(Slowdown, IsNothingWhileNobodyElseIsAtWork) {
  Slowdown slowdown;
  EXPECT_EQ(decide({{"lag", 0, 1, "s", true, kNow, ""}, sample_of(slowdown)}, PaceState{}, kNow).pace, 1);
  for (int i = 0; i < 50; ++i) slowdown.observe(kBeside);
  EXPECT_TRUE(sample_of(slowdown).known);
  EXPECT_EQ(sample_of(slowdown).value, 0);
}

TEST(Slowdown, IsWhatOthersAreLongerAtWorkBesideBatches) {
  Slowdown slowdown;
  look(slowdown, 50, 4, 1);
  const auto sample = sample_of(slowdown);
  EXPECT_NEAR(sample.value, 100 * (4.5 / 1.5 - 1), 0.5);
  EXPECT_EQ(in_words(sample, kNow),
            "slowdown 200 % over 50 % with 4 sessions of others at work during batches, 1 between them");
}

TEST(Slowdown, IsNothingBesideSomebodyWhoIsAlwaysAtWork) {
  Slowdown slowdown;
  look(slowdown, 50, 1, 1);
  EXPECT_EQ(sample_of(slowdown).value, 0);
}

TEST(Slowdown, IsAssumedWithoutPausesToLookAt) {
  Slowdown slowdown;
  for (int i = 0; i < 50; ++i) slowdown.observe({2, 1});
  EXPECT_EQ(sample_of(slowdown).value, Slowdown::kAssumed);
  ThrottleLimits limits;
  limits.slowdown = 1'000'000;
  EXPECT_EQ(
      decide({{"lag", 0, 1, "s", true, kNow, ""}, slowdown.sample(limits, 1, kNow)}, PaceState{}, kNow).pace,
      1);
}

TEST(Slowdown, BeginsSlowlyWhereOthersWereAtWorkBeforeTheLanes) {
  Slowdown slowdown;
  slowdown.observe_before({3, 0});
  EXPECT_EQ(sample_of(slowdown).value, Slowdown::kAssumed);
}

TEST(Slowdown, ForgetsWhatIsLongOver) {
  Slowdown slowdown;
  look(slowdown, 50, 4, 1);
  look(slowdown, 400, 0, 0);
  EXPECT_EQ(sample_of(slowdown).value, 0);
}

TEST(Slowdown, AsksForAPauseWhereThereIsNoneAndEndsItByWhatItSees) {
  Slowdown slowdown;
  for (int i = 0; i < Slowdown::kLooksUntilPause - 1; ++i) slowdown.observe({2, 1});
  EXPECT_FALSE(slowdown.wants_pause());
  slowdown.observe({2, 1});
  ASSERT_TRUE(slowdown.wants_pause());
  slowdown.observe({2, 1});  // a batch that had begun
  for (int i = 0; i < Slowdown::kLooksOfPause; ++i) {
    EXPECT_TRUE(slowdown.wants_pause());
    slowdown.observe({2, 0});
  }
  EXPECT_FALSE(slowdown.wants_pause());
}

TEST(Slowdown, AsksForNoPauseWhileNobodyIsThereOrWhereThereAreSome) {
  Slowdown slowdown;
  for (int i = 0; i < 100; ++i) slowdown.observe(kBeside);
  EXPECT_FALSE(slowdown.wants_pause());
  look(slowdown, 100, 3, 3);
  EXPECT_FALSE(slowdown.wants_pause());
}

TEST(Slowdown, DoesNotWaitForAPauseThatAnotherRunDoesNotLeave) {
  Slowdown slowdown;
  for (int i = 0; i < Slowdown::kLooksUntilPause; ++i) slowdown.observe({2, 1});
  for (int i = 0; i < Slowdown::kLooksOfPauseMost; ++i) slowdown.observe({2, 2});
  EXPECT_FALSE(slowdown.wants_pause());
}

TEST(Slowdown, LeavesSeveralLanesLittleMoreThanOne) {
  Slowdown slowdown;
  look(slowdown, 50, 4, 1);
  const auto share = [&](int lanes) {
    return lanes * slowdown.sample(ThrottleLimits{}, lanes, kNow).pace_least;
  };
  EXPECT_DOUBLE_EQ(share(1), 0.46);
  EXPECT_DOUBLE_EQ(share(2), 0.64);
  EXPECT_DOUBLE_EQ(share(16), 0.8) << "something is left between batches";
}

// An application of which `between` sessions are at work by themselves, and `slowed` times as many beside our
// batches; the lanes take the share `pace`.
double pace_beside(double between, double slowed, int polls) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> share(0, 1);
  Slowdown slowdown;
  PaceState state;
  TimePoint now = kNow;
  double sum = 0;
  for (int poll = 0; poll < polls; ++poll, now += kPoll) {
    for (int i = 0; i < 5; ++i) {
      const bool is_beside = share(random) < state.beside_others;
      std::poisson_distribution<int> others(is_beside ? between * slowed : between);
      slowdown.observe({others(random), is_beside ? 1 : 0});
    }
    const auto sample = slowdown.sample(ThrottleLimits{}, 1, now);
    state = decide({{"lag", 0, 1, "s", true, now, ""}, sample}, state, now).next;
    sum += state.beside_others;
  }
  return sum / polls;
}

TEST(Slowdown, LeavesLanesTheirLeastWhileTheyDoHarm) {
  const double pace = pace_beside(1, 3, 400);
  EXPECT_GE(pace, Slowdown::kShareLeast - 1e-9) << "of a mean of sums";
  EXPECT_LT(pace, 1.2 * Slowdown::kShareLeast);
}

TEST(Slowdown, LetsLanesGoWhereTheyDoNone) {
  EXPECT_GT(pace_beside(20, 1, 2'000), 0.9);
}

TEST(Slowdown, GivesFullPaceBackAsSoonAsOthersAreGone) {
  PaceState state;
  state.has_started = true;
  state.beside_others = Slowdown::kShareLeast;
  const auto calm = sample_of(Slowdown{});
  EXPECT_EQ(decide({{"lag", 0, 1, "s", true, kNow, ""}, calm}, state, kNow).pace, 1);
}

TEST(Slowdown, DoesNotHideWhatHolds) {
  Slowdown slowdown;
  look(slowdown, 50, 4, 1);
  const Sample lag{"replica_lag", 9, 2, "s", true, kNow, "on r1"};
  const auto decision = decide({sample_of(slowdown), lag}, PaceState{}, kNow);
  EXPECT_EQ(decision.flow, Flow::kHold);
  EXPECT_EQ(decision.worst->name, "replica_lag");
  EXPECT_TRUE(decision.is_beside_others);
}

}  // namespace
}  // namespace pgsluice::governor
