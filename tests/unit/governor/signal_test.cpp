// Goal: a sample says what it is worth and says it in words. Method: tables at the edges of limit and age.
#include "governor/signal.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace pgsluice::governor {
namespace {

using std::chrono::milliseconds;

const TimePoint kNow{std::chrono::hours{1}};

Sample lag(double value) {
  return {"replica_lag", value, 2, "s", true, kNow, "on replica1"};
}

Sample aged(milliseconds age) {
  Sample sample = lag(0);
  sample.taken_at = kNow - age;
  return sample;
}

TEST(Signal, IsStaleAfterThreePolls) {
  EXPECT_TRUE(is_fresh(aged(milliseconds{750}), kNow));
  EXPECT_FALSE(is_fresh(aged(milliseconds{751}), kNow));
}

TEST(Signal, WeighsWithoutEndWhenStaleOrUnknown) {
  Sample unknown = lag(0);
  unknown.known = false;
  EXPECT_TRUE(std::isinf(load_of(unknown, kNow)));
  EXPECT_TRUE(std::isinf(load_of(aged(milliseconds{900}), kNow)));
  EXPECT_DOUBLE_EQ(load_of(lag(3), kNow), 1.5);
}

TEST(Signal, HoldsOnALimitOfZero) {
  Sample sample = lag(0);
  sample.limit = 0;
  EXPECT_TRUE(std::isinf(load_of(sample, kNow)));
}

TEST(Signal, NamesSignalValueLimitAndPlace) {
  EXPECT_EQ(in_words(lag(2.4), kNow), "replica_lag 2.4 s over 2 s on replica1");
  EXPECT_EQ(in_words(lag(1.2), kNow), "replica_lag 1.2 s close to 2 s on replica1");
  EXPECT_EQ(in_words(lag(0.25), kNow), "replica_lag 0.25 s under 2 s on replica1");
}

TEST(Signal, NamesTheAgeOfAStaleSampleEvenIfItWasUnknown) {
  Sample sample = aged(milliseconds{900});
  EXPECT_EQ(in_words(sample, kNow), "no fresh sample of replica_lag for 0.9 s");
  sample.known = false;
  EXPECT_EQ(in_words(sample, kNow), "no fresh sample of replica_lag for 0.9 s");
}

TEST(Signal, PrintsQuantitiesForPeople) {
  EXPECT_EQ(quantity_text(0, "s"), "0 s");
  EXPECT_EQ(quantity_text(0.2, "s"), "0.2 s");
  EXPECT_EQ(quantity_text(0.999, "s"), "1 s");
  EXPECT_EQ(quantity_text(2, "s"), "2 s");
  EXPECT_EQ(quantity_text(100, "s"), "100 s");
  EXPECT_EQ(quantity_text(64.0 * 1024 * 1024, "bytes"), "64.0 MB");
}

TEST(Signal, ShowsAReasonOnlyWhenItHoldsTheLanesBack) {
  EXPECT_EQ(view_of(lag(0.1), kNow).reason, "");
  EXPECT_EQ(view_of(lag(2.4), kNow).reason, "replica_lag 2.4 s over 2 s on replica1");
  EXPECT_FALSE(view_of(aged(milliseconds{900}), kNow).known);
}

}  // namespace
}  // namespace pgsluice::governor
