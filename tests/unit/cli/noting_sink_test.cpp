// Goal: the summary says how to go on exactly when the same command line would.
#include "cli/noting_sink.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "pgsluice/error.hpp"

namespace pgsluice::cli {
namespace {

class KeepingSink final : public EventSink {
 public:
  void publish(Event event) override { events.push_back(std::move(event)); }
  std::vector<Event> events;
};

Event with(EventBody body) {
  Event event;
  event.body = std::move(body);
  return event;
}

std::string next_after(ExitCode code) {
  KeepingSink kept;
  NotingSink sink(kept, "pgsluice run a.toml");
  event::Summary summary;
  summary.exit_code = static_cast<int>(code);
  sink.publish(with(summary));
  EXPECT_TRUE(sink.has_summary());
  return std::get<event::Summary>(kept.events.at(0).body).next;
}

TEST(NotingSink, TellsHowToGoOnWhenWorkIsLeft) {
  for (const auto code : {ExitCode::kWorkLeft, ExitCode::kRangesHeld, ExitCode::kUnreachable}) {
    EXPECT_EQ(next_after(code), "pgsluice run a.toml");
  }
}

TEST(NotingSink, SaysNothingWhereRunningAgainWouldNotDo) {
  for (const auto code : {ExitCode::kDone, ExitCode::kFailed, ExitCode::kPaused, ExitCode::kCancelled}) {
    EXPECT_EQ(next_after(code), "");
  }
}

TEST(NotingSink, CountsWhatWasVerified) {
  KeepingSink kept;
  NotingSink sink(kept, "");
  sink.publish(with(event::Verify{"a", "t", "t", true}));
  sink.publish(with(event::Verify{"b", "t", "f", false}));
  EXPECT_EQ(sink.verified(), 2);
  EXPECT_EQ(sink.mismatches(), 1);
  EXPECT_EQ(kept.events.size(), 2U);
  EXPECT_FALSE(sink.has_summary());
}

}  // namespace
}  // namespace pgsluice::cli
