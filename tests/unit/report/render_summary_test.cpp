// Goal: the summary says how the run ended, what it did, and what to do next.
#include "report/text/render_summary.hpp"

#include <gtest/gtest.h>

#include "unit/report/samples.hpp"

namespace pgsluice::report {
namespace {

TEST(Summary, TellsWhatARunDid) {
  const std::vector<std::string> expected = {
      "onboarding-completed: done",
      "  rows         4,990,000 rows changed, 10,000 already right, 0 quarantined",
      "  speed        8,415 rows/s over 9m54s",
      "  batches      2,790, 3 retries, 12 splits",
      "  batch time   p50 85 ms, p95 140 ms, p99 210 ms, max 312 ms",
      "  held         12.3 s",
      "  highest lag  1.8 s",
  };
  EXPECT_EQ(render_summary("onboarding-completed", sample_summary(), false), expected);
}

TEST(Summary, GivesTheReasonAndTheHintOfAFailure) {
  event::Summary summary;
  summary.outcome = "failed";
  summary.exit_code = 1;
  summary.reason = "row 17 cannot be changed:\ninvalid input";
  summary.hint = "correct the row or raise max_quarantined";
  const std::vector<std::string> expected = {"jobs: failed: row 17 cannot be changed: invalid input",
                                             "  hint         correct the row or raise max_quarantined"};
  EXPECT_EQ(render_summary("jobs", summary, false), expected);
}

TEST(Summary, GivesTheCommandThatGoesOn) {
  event::Summary summary = sample_summary();
  summary.outcome = "work left";
  summary.reason = "the window closed";
  summary.next = "pgsluice run jobs/onboarding-completed.toml";
  const auto lines = render_summary("onboarding-completed", summary, false);
  EXPECT_EQ(lines.front(), "onboarding-completed: work left: the window closed");
  EXPECT_EQ(lines.back(), "  next         pgsluice run jobs/onboarding-completed.toml");
}

TEST(Summary, DoesNotCallAMissingReplicaZeroLag) {
  event::Summary summary = sample_summary();
  summary.lag_max_s = -1;
  EXPECT_TRUE(contains(joined(render_summary("j", summary, false)), "highest lag  no replica seen"));
}

TEST(Summary, TellsWhatUpdatesOverBlocksCost) {
  event::Summary summary = sample_summary();
  EXPECT_FALSE(contains(joined(render_summary("j", summary, false)), "HOT"));
  summary.hot_percent = 84.6;
  summary.wal_bytes_per_row = 272.9;
  EXPECT_TRUE(contains(joined(render_summary("j", summary, false)),
                       "updates      85 % HOT, about 273 bytes of WAL per row"));
}

TEST(Summary, AdmitsWhatItDidNotShow) {
  event::Summary summary = sample_summary();
  EXPECT_FALSE(contains(joined(render_summary("j", summary, false)), "not shown"));
  summary.events_dropped = 1'234;
  EXPECT_TRUE(contains(joined(render_summary("j", summary, false)), "not shown    1,234 events"));
}

TEST(Summary, IsColouredOnlyOnRequest) {
  EXPECT_FALSE(contains(joined(render_summary("j", sample_summary(), false)), "\x1b"));
  EXPECT_EQ(render_summary("j", sample_summary(), true).front(), "\x1b[1mj: done\x1b[0m");
}

}  // namespace
}  // namespace pgsluice::report
