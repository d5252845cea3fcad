// Goal: figures of a real run from what it tells.
#include "bench/measure/trial_sink.hpp"

#include <gtest/gtest.h>

namespace pgsluice::bench {
namespace {

using std::chrono::milliseconds;

class Sink : public ::testing::Test {
 protected:
  void tell(EventBody body, milliseconds at) {
    Event event;
    event.at = began_ + at;
    event.run_id = "r";
    event.body = std::move(body);
    sink_.publish(std::move(event));
  }
  void batch(std::int64_t changed, std::int64_t visited, double duration_s, milliseconds at) {
    event::Batch body;
    body.rows_changed = changed;
    body.rows_visited = visited;
    body.duration_s = duration_s;
    tell(body, at);
  }

  std::chrono::system_clock::time_point began_{};
  TrialSink sink_{{Walk::kKeyset, 1, 100}};
};

TEST_F(Sink, CountsFromTheFirstBatchsBeginToTheLastOnesEnd) {
  batch(100, 100, 0.1, milliseconds{1'000});
  batch(90, 100, 0.1, milliseconds{1'400});
  const auto result = sink_.result();
  EXPECT_EQ(result.rows_changed, 190);
  EXPECT_NEAR(result.duration_s, 0.5, 1e-9);
  EXPECT_EQ(sink_.run_id(), "r");
}

TEST_F(Sink, DoesNotTimeTheSmallRestOfARange) {
  batch(100, 100, 0.1, milliseconds{1'000});
  batch(3, 3, 0.001, milliseconds{1'100});
  EXPECT_NEAR(*sink_.result().batch_p50_ms, 100, 2);
}

TEST_F(Sink, TimesLaterPassesWhichVisitNothingNew) {
  batch(100, 0, 0.1, milliseconds{1'000});
  EXPECT_NEAR(*sink_.result().batch_p50_ms, 100, 2);
}

TEST_F(Sink, AdmitsATimeout) {
  event::BatchFailed failed;
  failed.sqlstate = "57014";
  tell(failed, milliseconds{1'000});
  EXPECT_TRUE(sink_.result().ran_into_timeout);
  EXPECT_NE(sink_.result().disturbance, "");
}

TEST_F(Sink, DoesNotCountARunThatTheThrottleHeld) {
  batch(100, 100, 0.1, milliseconds{1'000});
  batch(100, 100, 0.1, milliseconds{2'000});
  event::Summary summary;
  summary.held_s = 0.5;
  tell(summary, milliseconds{2'100});
  EXPECT_EQ(sink_.result().disturbance, "the throttle held it");
}

}  // namespace
}  // namespace pgsluice::bench
