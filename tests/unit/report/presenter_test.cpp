// Goal: each style shows what it promises, at the rate it promises. Time is handed in, files are in memory.
#include <gtest/gtest.h>

#include "base/json.hpp"
#include "report/json_presenter.hpp"
#include "report/line_presenter.hpp"
#include "report/live_presenter.hpp"
#include "report/quiet_presenter.hpp"
#include "unit/report/samples.hpp"

namespace pgsluice::report {
namespace {

using namespace std::chrono_literals;

const Presenter::TimePoint kStart{};

event::Throttle throttle(const std::string& state, const std::string& signal) {
  return {state, signal, 3, 2, "s", state == "hold" ? 0.0 : 0.5, "because of " + signal, 0};
}

TEST(JsonPresenter, PrintsStatusEveryFiveSecondsAndAllElseAtOnce) {
  const Capture out;
  JsonPresenter presenter(out.file());
  for (auto at = 0ms; at <= 10s; at += 250ms)
    presenter.show(sample_event(event::Status{sample_progress()}), kStart + at);
  presenter.show(sample_event(event::Warning{"w", ""}), kStart + 10s);
  presenter.show(sample_event(event::Summary{sample_summary()}), kStart + 10s);
  const auto lines = lines_of(out.text());
  ASSERT_EQ(lines.size(), 5U);
  std::int64_t seq = 0;
  for (const auto& line : lines) EXPECT_EQ(base::Json::parse(line)["seq"], ++seq);
  EXPECT_EQ(base::Json::parse(lines.back())["type"], "summary");
}

TEST(LinePresenter, PrintsStatusEveryThirtySeconds) {
  const Capture err;
  LinePresenter presenter(err.file(), false);
  for (auto at = 0ms; at <= 90s; at += 250ms)
    presenter.show(sample_event(event::Status{sample_progress()}), kStart + at);
  EXPECT_EQ(lines_of(err.text()).size(), 3U);
}

TEST(LinePresenter, PrintsEachChangeOfStateAtOnce) {
  const Capture err;
  LinePresenter presenter(err.file(), false);
  presenter.show(sample_event(event::StepStarted{"fill", "backfill", false, 10}), kStart);
  presenter.show(sample_event(event::State{"running", "paused", "lunch"}), kStart);
  presenter.show(sample_event(event::BatchFailed{1, 1, "40P01", "deadlock detected", 1, "retry", 0.1}),
                 kStart);
  presenter.show(sample_event(event::StepEnded{"fill", "backfill", "done", {10, 0, 0}, 1}), kStart);
  EXPECT_EQ(lines_of(err.text()).size(), 4U);
}

TEST(LinePresenter, PrintsAHoldOncePerReasonAndWhenItEnds) {
  const Capture err;
  LinePresenter presenter(err.file(), false);
  for (const auto& [state, signal] : std::vector<std::pair<std::string, std::string>>{{"go", ""},
                                                                                      {"slow", "replica_lag"},
                                                                                      {"slow", "replica_lag"},
                                                                                      {"hold", "replica_lag"},
                                                                                      {"hold", "replica_lag"},
                                                                                      {"hold", "lock_wait"},
                                                                                      {"go", ""},
                                                                                      {"go", ""}}) {
    presenter.show(sample_event(throttle(state, signal)), kStart);
  }
  const auto lines = lines_of(err.text());
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_TRUE(contains(lines[0], "slowed to 50 %: because of replica_lag"));
  EXPECT_TRUE(contains(lines[1], "held: because of replica_lag"));
  EXPECT_TRUE(contains(lines[2], "held: because of lock_wait"));
  EXPECT_TRUE(contains(lines[3], "continuing"));
}

TEST(LinePresenter, PrintsBatchesOnlyOnRequest) {
  for (const bool wanted : {false, true}) {
    const Capture err;
    LinePresenter presenter(err.file(), wanted);
    presenter.show(sample_event(event::Batch{1, 2, 900, 1'000, 0.085, 1}), kStart);
    EXPECT_EQ(lines_of(err.text()).size(), wanted ? 1U : 0U);
  }
}

TEST(LinePresenter, UsesNeitherColourNorCarriageReturn) {
  const Capture err;
  LinePresenter presenter(err.file(), true);
  presenter.show(sample_event(event::Warning{"w\r\x1b[1m", ""}), kStart);
  presenter.show(sample_event(event::Status{held_progress()}), kStart);
  presenter.show(sample_event(event::Status{held_progress()}), kStart + 30s);
  presenter.show(sample_event(event::Summary{sample_summary()}), kStart + 30s);
  EXPECT_EQ(err.text().find_first_of("\r\x1b"), std::string::npos);
  EXPECT_TRUE(contains(err.text(), "held: replica r1"));
  EXPECT_TRUE(contains(err.text(), "onboarding-completed: done\n"));
}

TEST(QuietPresenter, PrintsWarningsErrorsAndTheSummaryOnly) {
  const Capture err;
  QuietPresenter presenter(err.file());
  presenter.show(sample_event(event::StepStarted{"fill", "backfill", false, 10}), kStart);
  presenter.show(sample_event(event::Status{held_progress()}), kStart + 60s);
  EXPECT_EQ(err.text(), "");
  presenter.show(sample_event(event::Warning{"no replica seen", ""}), kStart);
  presenter.show(sample_event(event::Verify{"v", "0", "1", false}), kStart);
  EXPECT_EQ(lines_of(err.text()).size(), 2U);
  presenter.show(sample_event(event::Summary{sample_summary()}), kStart);
  EXPECT_TRUE(contains(err.text(), "onboarding-completed: done\n"));
}

class LiveScreen : public testing::Test {
 protected:
  void show(EventBody body, std::chrono::milliseconds at = 0ms) {
    presenter_.show(sample_event(std::move(body)), kStart + at);
    presenter_.tick(kStart + at);
  }
  std::size_t paints() const { return count_of(err_.text(), "\x1b[J"); }

  Capture err_;
  LivePresenter presenter_{err_.file(), [] { return Terminal{80, 24, true, false}; }};
};

TEST_F(LiveScreen, RepaintsAtMostFiveTimesASecond) {
  for (auto at = 0ms; at < 2s; at += 10ms) show(event::Status{sample_progress()}, at);
  EXPECT_EQ(paints(), 10U);
}

TEST_F(LiveScreen, LeavesTheFinalStateAndPrintsTheSummaryBelow) {
  show(event::RunStarted{"0.1.0", "db1", 1, false, 4});
  show(event::Status{sample_progress()}, 10ms);
  show(event::StepEnded{"fill", "backfill", "done", {4'990'000, 10'000, 0}, 594}, 20ms);
  show(event::Summary{sample_summary()}, 30ms);
  presenter_.finish(kStart + 40ms);
  const std::string text = err_.text();
  const auto full = text.rfind("100.0 %");
  ASSERT_NE(full, std::string::npos);
  EXPECT_LT(full, text.find("\x1b[?25h"));
  EXPECT_LT(text.find("\x1b[?25h"), text.find("  rows         4,990,000"));
  EXPECT_EQ(count_of(text, "\x1b[?25h"), 1U);
  EXPECT_EQ(text.rfind("\x1b[J"), text.find("\x1b[?25h") - 3) << "painted again below the summary";
}

TEST_F(LiveScreen, GivesTheCursorBackEvenWithoutASummary) {
  show(event::Status{sample_progress()});
  presenter_.finish(kStart + 1s);
  EXPECT_EQ(count_of(err_.text(), "\x1b[?25h"), 1U);
}

TEST_F(LiveScreen, PaintsNothingForARunThatNeverStarts) {
  show(event::Warning{"no replica seen", ""});
  event::Summary refused;
  refused.outcome = "refused";
  show(refused);
  presenter_.finish(kStart);
  EXPECT_FALSE(contains(err_.text(), "\x1b"));
  EXPECT_TRUE(contains(err_.text(), "warning: no replica seen\n"));
  EXPECT_TRUE(contains(err_.text(), "onboarding-completed: refused\n"));
}

TEST_F(LiveScreen, ForgetsNothingOfTheStepBeforeButItsNumbers) {
  show(event::Status{sample_progress()});
  show(event::StepEnded{"fill", "backfill", "done", {5'000'000, 0, 0}, 594}, 1s);
  show(event::StepStarted{"index", "index", false, 0}, 2s);
  const std::string text = err_.text();
  const std::string view =
      text.substr(text.rfind("\x1b[11A") == std::string::npos ? text.rfind("\r") : text.rfind("\r"));
  EXPECT_TRUE(contains(view, "step index (index)")) << view;
  EXPECT_TRUE(contains(view, "step fill done after 9m54s")) << view;
  EXPECT_FALSE(contains(view, "rows/s")) << view;
  EXPECT_TRUE(contains(view, "elapsed 5m24s")) << view;
}

TEST_F(LiveScreen, KeepsAWarningThatFallsOutOfTheViewAboveIt) {
  show(event::Status{sample_progress()});
  show(event::Warning{"precious", ""}, 1s);
  for (std::size_t i = 0; i < LivePresenter::kNotes; ++i) show(event::State{"a", "b", ""}, 2s);
  show(event::Status{sample_progress()}, 3s);
  show(event::Status{sample_progress()}, 4s);
  const std::string text = err_.text();
  EXPECT_LT(text.rfind("precious"), text.rfind("onboarding-completed"));
  EXPECT_FALSE(contains(text.substr(text.rfind("\r")), "precious"));
}

}  // namespace
}  // namespace pgsluice::report
