// Goal: a replay position becomes an age that is never too small, in bounded memory. Method: marks at known
// times, tables at their edges, and two days of polling.
#include "governor/lsn_clock.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace pgsluice::governor {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

const TimePoint kStart{hours{1'000}};

// 100 at 0 s, 200 at 1 s, 400 at 2 s.
LsnClock three_marks() {
  LsnClock clock;
  clock.record(kStart, 100);
  clock.record(kStart + seconds{1}, 200);
  clock.record(kStart + seconds{2}, 400);
  return clock;
}

TEST(Lsn, ReadsAndPrintsAsPostgresDoes) {
  EXPECT_EQ(parse_lsn("16/B374D848"), Lsn{0x16B374D848});
  EXPECT_EQ(lsn_text(0x16B374D848), "16/B374D848");
  EXPECT_EQ(parse_lsn("0/0"), Lsn{0});
  EXPECT_EQ(lsn_text(0), "0/0");
  EXPECT_EQ(parse_lsn("FFFFFFFF/FFFFFFFF"), std::numeric_limits<Lsn>::max());
  EXPECT_EQ(lsn_text(std::numeric_limits<Lsn>::max()), "FFFFFFFF/FFFFFFFF");
  EXPECT_EQ(parse_lsn("0/a"), Lsn{10});
}

TEST(Lsn, RefusesWhatPostgresRefuses) {
  for (const char* text :
       {"", "/", "1", "1/", "/1", "1/2/3", "G/0", "0/ 1", "-1/0", "0x1/0", "123456789/0"}) {
    EXPECT_FALSE(parse_lsn(text)) << text;
  }
}

TEST(LsnClock, AnswersConservativelyAtEveryEdge) {
  const LsnClock clock = three_marks();
  const TimePoint now = kStart + seconds{5};
  struct Case {
    Lsn replay;
    double seconds;
  };
  for (const auto& [replay, lag] :
       {Case{100, 5}, {150, 5}, {199, 5}, {200, 4}, {399, 4}, {400, 0}, {999, 0}}) {
    EXPECT_EQ(clock.lag_of(replay, now).seconds, lag) << "replay " << replay;
  }
}

TEST(LsnClock, DoesNotKnowWhatLiesBehindItsFirstSample) {
  const LagTime lag = three_marks().lag_of(99, kStart + seconds{5});
  EXPECT_FALSE(lag.seconds);
  EXPECT_EQ(lag.reason, "behind our first sample");
}

TEST(LsnClock, KnowsNothingBeforeTheFirstSample) {
  const LsnClock clock;
  EXPECT_FALSE(clock.lag_of(100, kStart).seconds);
  EXPECT_EQ(clock.bytes_behind(100), 0U);
}

TEST(LsnClock, CountsBytesBehindAndNeverBelowZero) {
  EXPECT_EQ(three_marks().bytes_behind(150), 250U);
  EXPECT_EQ(three_marks().bytes_behind(400), 0U);
  EXPECT_EQ(three_marks().bytes_behind(500), 0U);
}

TEST(LsnClock, DoesNotCallAReplicaLateForAnIdleHour) {
  LsnClock clock;
  clock.record(kStart, 100);
  clock.record(kStart + hours{1}, 100);
  clock.record(kStart + hours{1} + milliseconds{250}, 900);
  EXPECT_EQ(clock.lag_of(100, kStart + hours{1} + milliseconds{500}).seconds, 0.5);
}

TEST(LsnClock, NeedsNoMemoryForAnIdlePrimary) {
  LsnClock clock;
  for (int i = 0; i < 10'000; ++i) clock.record(kStart + i * kPoll, 100);
  EXPECT_EQ(clock.mark_count(), 1U);
}

TEST(LsnClock, ForgetsPositionsThatAFailoverUndid) {
  LsnClock clock = three_marks();
  clock.record(kStart + seconds{3}, 150);
  EXPECT_EQ(clock.bytes_behind(100), 50U);
  EXPECT_EQ(clock.lag_of(150, kStart + seconds{9}).seconds, 0);
  EXPECT_EQ(clock.lag_of(120, kStart + seconds{9}).seconds, 9);
  clock.record(kStart + seconds{4}, 300);
  EXPECT_EQ(clock.lag_of(250, kStart + seconds{9}).seconds, 6);
}

TEST(LsnClock, IgnoresATimeThatRunsBackwards) {
  LsnClock clock = three_marks();
  clock.record(kStart + milliseconds{1'500}, 9'999);
  EXPECT_EQ(clock.bytes_behind(400), 0U);
}

TEST(LsnClock, ReachesBackADayInBoundedMemoryWithinOnePercent) {
  constexpr Lsn kBytesAPoll = 1'000;
  constexpr int kPolls = 48 * 3'600 * 4;
  LsnClock clock;
  for (int i = 0; i < kPolls; ++i) {
    clock.record(kStart + i * kPoll, static_cast<Lsn>(i) * kBytesAPoll);
    ASSERT_LE(clock.mark_count(), LsnClock::kMarksMax);
  }
  const TimePoint now = kStart + (kPolls - 1) * kPoll;
  for (const int polls_ago : {1, 4, 40, 400, 4'000, 40'000, 24 * 3'600 * 4, 40 * 3'600 * 4}) {
    const LagTime lag = clock.lag_of(static_cast<Lsn>(kPolls - 1 - polls_ago) * kBytesAPoll, now);
    const double truth = polls_ago * 0.25;
    ASSERT_TRUE(lag.seconds) << polls_ago;
    EXPECT_GE(*lag.seconds, truth) << polls_ago;
    EXPECT_LE(*lag.seconds, truth * 1.01 + 0.25) << polls_ago;
  }
}

}  // namespace
}  // namespace pgsluice::governor
