// Goal: a log line stands for itself: time, job, words; no control characters.
#include "report/text/render_line.hpp"

#include <gtest/gtest.h>

#include "unit/report/samples.hpp"

namespace pgsluice::report {
namespace {

TEST(RenderLine, CarriesTimeAndJob) {
  EXPECT_EQ(render_line(sample_event(event::State{"running", "paused", "lunch"})),
            "2026-11-21T10:00:00Z onboarding-completed: running -> paused: lunch");
}

TEST(RenderLine, PrintsAllOfProgress) {
  EXPECT_EQ(render_line(sample_event(event::Status{sample_progress()})),
            "2026-11-21T10:00:00Z onboarding-completed: step 2/4 fill running, 54.2 %, 2,710,000 of "
            "~5,000,000 rows, "
            "8,412 rows/s, batch 1,800 x 4 lanes, 85 ms a batch, pace 100 %, lag 400 ms of 2.0 s, "
            "lag 1.2 MB of 64.0 MB, lock wait 0 ms of 200 ms, ETA 4m31s, elapsed 5m22s, 7 ranges left, "
            "10,000 already right");
}

TEST(RenderLine, PrintsTheHoldReason) {
  const std::string line = render_line(sample_event(event::Status{held_progress()}));
  EXPECT_TRUE(contains(line, "step 2/4 fill held")) << line;
  EXPECT_TRUE(contains(line, "; held: replica r1 is 3.1 s behind, the limit is 2 s")) << line;
  const auto hold =
      event::Throttle{"hold", "lock_wait", 0.3, 0.2, "s", 0, "pid 7 has waited 300 ms for us", 0};
  EXPECT_TRUE(contains(render_line(sample_event(hold)), "held: pid 7 has waited 300 ms for us"));
}

TEST(RenderLine, HoldsNoControlCharacter) {
  const std::string line = render_line(sample_event(event::Warning{"a\r\nb\x1b[31m", "c\td"}));
  for (const char c : line) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << line;
}

TEST(RenderLine, LeavesTheSummaryToItsOwnRenderer) {
  EXPECT_EQ(render_line(sample_event(event::Summary{sample_summary()})), "");
}

}  // namespace
}  // namespace pgsluice::report
