// Goal: the pace falls fast, recovers slowly, does not flutter, and always says why. Method: one signal with
// limit 1 moved through its edges poll by poll. Whole lag curves are in lag_curve_test.cpp.
#include "governor/pace.hpp"

#include <gtest/gtest.h>

#include <random>

namespace pgsluice::governor {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Sample signal(const std::string& name, double value, TimePoint taken_at) {
  return {name, value, 1, "s", true, taken_at, ""};
}

Sample unknown(const std::string& name, const std::string& reason, TimePoint taken_at) {
  return {name, 0, 1, "s", false, taken_at, reason};
}

// A governor that looks at one signal with limit 1, once a poll.
class OneSignal {
 public:
  Decision see(double value) {
    now_ += kPoll;
    return keep(decide({signal("lag", value, now_)}, state_, now_));
  }
  Decision see_nothing_known() {
    now_ += kPoll;
    return keep(decide({unknown("lag", "lag is unknown", now_)}, state_, now_));
  }
  Decision see_times(int polls, double value) {
    for (int i = 1; i < polls; ++i) see(value);
    return see(value);
  }

 private:
  Decision keep(Decision decision) {
    state_ = decision.next;
    return decision;
  }

  TimePoint now_{std::chrono::hours{1}};
  PaceState state_;
};

TEST(Pace, StartsAtFullPaceWhenNothingSpeaksAgainstIt) {
  const Decision decision = OneSignal{}.see(0.2);
  EXPECT_EQ(decision.flow, Flow::kGo);
  EXPECT_EQ(decision.pace, 1);
  EXPECT_EQ(decision.reason, "");
}

TEST(Pace, HoldsUntilSomethingWasLookedAt) {
  const Decision decision = decide({}, PaceState{}, TimePoint{seconds{9}});
  EXPECT_EQ(decision.flow, Flow::kHold);
  EXPECT_EQ(decision.reason, "no signal has been read yet");
}

TEST(Pace, StartsAtFullPaceAfterFirstReadingsThatWereUnknown) {
  OneSignal governor;
  EXPECT_EQ(governor.see_nothing_known().flow, Flow::kHold);
  EXPECT_EQ(governor.see(0.2).pace, 1);
}

TEST(Pace, WaitsForWhatWasOverItsLimitBeforeTheRunBegan) {
  OneSignal governor;
  EXPECT_EQ(governor.see(1.2).flow, Flow::kHold);
  EXPECT_EQ(governor.see(1.1).flow, Flow::kHold);
  EXPECT_DOUBLE_EQ(governor.see(0.9).pace, kRise);
}

TEST(Pace, HalvesWithEveryPollAboveTheLimitAndThenHolds) {
  OneSignal governor;
  governor.see(0);
  for (const double pace : {0.5, 0.25, 0.125, 0.0625, 0.0}) EXPECT_DOUBLE_EQ(governor.see(1.01).pace, pace);
}

TEST(Pace, MovesByTheLoadOfTheWorstSample) {
  struct Case {
    double load;
    double pace;
  };
  for (const auto& [load, pace] : {Case{0, 0.35},
                                   {0.499, 0.35},
                                   {0.5, 0.25},
                                   {1, 0.25},
                                   {1.001, 0.125},
                                   {1.999, 0.125},
                                   {2, 0},
                                   {50, 0}}) {
    PaceState state;
    state.has_started = true;
    state.pace = 0.25;
    const TimePoint now{seconds{9}};
    EXPECT_DOUBLE_EQ(decide({signal("a", 0, now), signal("b", load, now)}, state, now).pace, pace) << load;
  }
}

TEST(Pace, HoldsAtOnceAtTwiceTheLimit) {
  OneSignal governor;
  governor.see(0);
  EXPECT_EQ(governor.see(2).flow, Flow::kHold);
}

TEST(Pace, HoldsAtOnceOnAnUnknownSample) {
  OneSignal governor;
  governor.see(0);
  const Decision decision = governor.see_nothing_known();
  EXPECT_EQ(decision.flow, Flow::kHold);
  EXPECT_EQ(decision.reason, "lag is unknown");
}

TEST(Pace, HoldsOnAStaleSampleEvenBetweenTwoPolls) {
  const TimePoint taken{seconds{9}};
  Decision decision = decide({signal("lag", 0, taken)}, PaceState{}, taken + milliseconds{700});
  EXPECT_EQ(decision.flow, Flow::kGo);
  decision = decide({signal("lag", 0, taken)}, decision.next, taken + milliseconds{760});
  EXPECT_EQ(decision.flow, Flow::kHold);
  EXPECT_EQ(decision.reason, "no fresh sample of lag for 0.76 s");
}

TEST(Pace, StaysAfterAHoldUntilTheValueIsBackUnderItsLimit) {
  OneSignal governor;
  governor.see(0);
  governor.see(2.5);
  EXPECT_EQ(governor.see(1.5).flow, Flow::kHold);
  EXPECT_EQ(governor.see(1.01).flow, Flow::kHold);
  EXPECT_EQ(governor.see(1.0).flow, Flow::kSlow);
}

TEST(Pace, RecoversInSmallStepsAndCarefullyNearThePaceThatWasTooMuch) {
  OneSignal governor;
  governor.see(0);
  governor.see_times(2, 2.5);
  EXPECT_DOUBLE_EQ(governor.see(0).pace, 0.1);
  EXPECT_NEAR(governor.see_times(6, 0).pace, 0.7, 1e-9);
  EXPECT_NEAR(governor.see(0).pace, 0.7 * kRiseCarefully, 1e-9);
  EXPECT_EQ(governor.see_times(36, 0).flow, Flow::kGo);
}

TEST(Pace, StartsAgainBelowAPaceThatWasTooMuchAtATrickle) {
  OneSignal governor;
  governor.see(0);
  governor.see_times(2, 2.5);
  governor.see(0);
  governor.see_times(2, 2.5);
  EXPECT_DOUBLE_EQ(governor.see(0).pace, 0.07);
  governor.see_times(2, 2.5);
  EXPECT_DOUBLE_EQ(governor.see(0).pace, kPaceMin);
}

TEST(Pace, TakesNoCautionFromASampleThatWasOnlyUnknown) {
  OneSignal governor;
  governor.see(0);
  governor.see_nothing_known();
  EXPECT_EQ(governor.see_times(11, 0).flow, Flow::kGo);
}

TEST(Pace, TakesNoCautionFromALockWaitThatIsOverWithTheNextPoll) {
  OneSignal governor;
  governor.see(0);
  EXPECT_DOUBLE_EQ(governor.see(1.5).pace, 0.5);
  EXPECT_EQ(governor.see_times(6, 0).flow, Flow::kGo);
}

TEST(Pace, TakesNoCautionFromWhatWasOverItsLimitBeforeTheRunBegan) {
  OneSignal governor;
  governor.see_times(9, 1.5);
  EXPECT_EQ(governor.see_times(11, 0).flow, Flow::kGo);
}

TEST(Pace, StaysBetweenHalfOfTheLimitAndTheLimit) {
  OneSignal governor;
  governor.see(0);
  governor.see(1.5);
  EXPECT_DOUBLE_EQ(governor.see(0.6).pace, 0.5);
  const Decision decision = governor.see_times(50, 0.9);
  EXPECT_DOUBLE_EQ(decision.pace, 0.5);
  EXPECT_EQ(decision.reason, "lag 0.9 s close to 1 s");
}

TEST(Pace, SaysThatItIsSpeedingUpAgain) {
  OneSignal governor;
  governor.see(0);
  governor.see(1.5);
  EXPECT_EQ(governor.see(0.25).reason, "speeding up again, lag 0.25 s under 1 s");
}

TEST(Pace, NamesEveryHolderWorstFirstAndEachOnlyOnce) {
  const TimePoint now{seconds{9}};
  const Decision decision = decide(
      {signal("a", 1.5, now), signal("calm", 0.9, now), unknown("lag", "replica r1 is gone since 3 s", now),
       signal("b", 3, now), unknown("lag_bytes", "replica r1 is gone since 3 s", now)},
      PaceState{}, now);
  EXPECT_EQ(decision.reason, "replica r1 is gone since 3 s; b 3 s over 1 s; a 1.5 s over 1 s");
  EXPECT_EQ(decision.worst->name, "lag");
}

TEST(Pace, CountsAHoldWithoutABreak) {
  OneSignal governor;
  governor.see(0);
  EXPECT_EQ(governor.see(3).held_s, 0);
  EXPECT_DOUBLE_EQ(governor.see_times(8, 3).held_s, 2);
  EXPECT_EQ(governor.see(0).held_s, 0);
  EXPECT_FALSE(governor.see(0).next.held_since);
  EXPECT_EQ(governor.see(3).held_s, 0);
}

TEST(Pace, DoesNotMoveTwiceForOnePoll) {
  const TimePoint now{seconds{9}};
  Decision decision = decide({signal("lag", 0, now)}, PaceState{}, now);
  const TimePoint poll = now + kPoll;
  decision = decide({signal("lag", 1.5, poll)}, decision.next, poll);
  for (int i = 1; i <= 10; ++i) {
    decision = decide({signal("lag", 1.5, poll)}, decision.next, poll + i * milliseconds{10});
  }
  EXPECT_DOUBLE_EQ(decision.pace, 0.5);
  EXPECT_EQ(decide({signal("lag", 3, poll)}, decision.next, poll + milliseconds{110}).pace, 0);
}

TEST(Pace, KeepsItsBoundsWhateverItSees) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> load(0, 2.5);
  OneSignal governor;
  double before = governor.see(0).pace;
  for (int i = 0; i < 5'000; ++i) {
    const double value = load(random);
    const Decision decision = governor.see(value);
    ASSERT_GE(decision.pace, 0);
    ASSERT_LE(decision.pace, 1);
    ASSERT_LE(decision.pace, before + kRise + 1e-9);
    ASSERT_TRUE(value <= 0.5 || decision.pace <= before || before == 0) << value;
    ASSERT_TRUE(value <= 1 || decision.pace <= before / 2) << value;
    ASSERT_TRUE(decision.pace == 0 || decision.pace >= kPaceMin);
    ASSERT_EQ(decision.reason.empty(), decision.flow == Flow::kGo);
    before = decision.pace;
  }
}

TEST(Pace, TurnsIntoAWaitThatIsCapped) {
  EXPECT_EQ(delay_after(milliseconds{100}, 1), milliseconds{0});
  EXPECT_EQ(delay_after(milliseconds{100}, 0.5), milliseconds{100});
  EXPECT_EQ(delay_after(milliseconds{100}, 0.1), milliseconds{900});
  EXPECT_EQ(delay_after(milliseconds{10'000}, 0.05), kDelayMax);
  EXPECT_EQ(delay_after(milliseconds{100}, 0), kDelayMax);
}

}  // namespace
}  // namespace pgsluice::governor
