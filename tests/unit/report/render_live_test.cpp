// Goal: the live view shows everything that matters, fits every terminal, and never claims more than is
// known.
#include "report/live/render_live.hpp"

#include <gtest/gtest.h>

#include "report/text/clean_text.hpp"
#include "unit/report/samples.hpp"

namespace pgsluice::report {
namespace {

using namespace std::chrono_literals;

constexpr Terminal terminal(std::size_t columns, bool utf8 = true, bool color = false) {
  return {columns, 24, utf8, color};
}

LiveState with_notes(std::size_t count) {
  LiveState state;
  for (std::size_t i = 0; i < count; ++i) {
    state.notes.push_back({"12:00:00", "note " + std::to_string(i) + std::string(300, '.'), Weight::kNews});
  }
  return state;
}

std::string live(const Progress& progress, const LiveState& state = {}, const Terminal& t = terminal(80)) {
  return joined(render_live(progress, state, t));
}

class LiveViewWidth : public testing::TestWithParam<std::size_t> {};

TEST_P(LiveViewWidth, NeverFillsTheLastColumn) {
  Progress p = held_progress();
  p.job = std::string(250, 'j');
  p.signals.push_back({"replication_slot_retained_wal", 1e12, 1e13, "bytes", true, ""});
  for (const bool utf8 : {true, false}) {
    for (const auto& line : render_live(p, with_notes(3), terminal(GetParam(), utf8, true))) {
      EXPECT_LT(display_width(line), GetParam()) << line;
    }
  }
}

TEST_P(LiveViewWidth, NeverFillsTheLastRow) {
  for (const std::size_t rows : {std::size_t{2}, std::size_t{5}, std::size_t{10}, std::size_t{24}}) {
    EXPECT_LT(render_live(held_progress(), with_notes(40), {GetParam(), rows, true, false}).size(), rows);
  }
}

INSTANTIATE_TEST_SUITE_P(Columns, LiveViewWidth, testing::Values(2, 12, 40, 80, 200));

TEST(LiveView, ShowsWhatAnOperatorAsksFor) {
  const std::string view = live(sample_progress());
  for (const char* part : {"onboarding-completed", "step 2/4 fill (backfill)", "running", "54.2 %",
                           "2,710,000 of ~5,000,000 rows", "8,412 rows/s", "batch 1,800 × 4 lanes",
                           "85 ms a batch", "lag 400 ms of 2.0 s", "lag 1.2 MB of 64.0 MB",
                           "lock wait 0 ms of 200 ms", "pace 100 %", "ETA 4m31s", "elapsed 5m22s"}) {
    EXPECT_TRUE(contains(view, part)) << part << " is missing in\n" << view;
  }
}

TEST(LiveView, ShowsTheWholeHoldReasonHoweverNarrow) {
  std::string view = live(held_progress(), {}, terminal(30));
  std::replace(view.begin(), view.end(), '\n', ' ');
  EXPECT_TRUE(contains(view, "held: replica r1 is 3.1 s behind, the limit is 2 s")) << view;
}

TEST(LiveView, HighlightsTheHoldReason) {
  EXPECT_TRUE(contains(live(held_progress(), {}, terminal(80, true, true)), "\x1b[1;33mheld: "));
}

TEST(LiveView, UsesNoEscapeSequenceWithoutColour) {
  EXPECT_FALSE(contains(live(held_progress(), with_notes(2)), "\x1b"));
}

TEST(LiveView, IsAsciiWhereTheLocaleIs) {
  Progress p = held_progress();
  p.hold_reason = "réplica";
  const std::string view = live(p, with_notes(2), terminal(80, false));
  for (const char c : view) EXPECT_LT(static_cast<unsigned char>(c), 0x80) << view;
  EXPECT_TRUE(contains(view, "[####")) << view;
}

TEST(LiveView, IsFullOnlyOnceTheStepIsDone) {
  Progress p = sample_progress();
  p.rows.changed = 6'000'000;
  EXPECT_TRUE(contains(live(p), "99.0 %"));
  LiveState done;
  done.step_done = true;
  const std::string view = live(p, done);
  EXPECT_TRUE(contains(view, "100.0 %")) << view;
  EXPECT_FALSE(contains(view, "ETA")) << view;
  EXPECT_FALSE(contains(view, "░")) << view;
}

TEST(LiveView, AsksWhereItDoesNotKnow) {
  Progress p = sample_progress();
  p.eta.reset();
  p.signals[0].known = false;
  const std::string view = live(p);
  EXPECT_TRUE(contains(view, "ETA ?")) << view;
  EXPECT_TRUE(contains(view, "lag unknown")) << view;
}

TEST(LiveView, ShowsRowsWithoutABarWhereTheTotalIsUnknown) {
  Progress p = sample_progress();
  p.rows_expected = 0;
  const std::string view = live(p);
  EXPECT_TRUE(contains(view, "2,710,000 rows, total unknown")) << view;
  EXPECT_FALSE(contains(view, "%   ")) << view;
  EXPECT_FALSE(contains(view, "█")) << view;
}

TEST(LiveView, KeepsTheNewestNotes) {
  LiveState state;
  for (int i = 0; i < 40; ++i)
    state.notes.push_back({"12:00:00", "note " + std::to_string(i) + ";", Weight::kNews});
  const std::string view = live(sample_progress(), state);
  EXPECT_TRUE(contains(view, "note 39;"));
  EXPECT_FALSE(contains(view, "note 0;"));
}

TEST(LiveView, SaysWhenTheEngineHasGoneSilent) {
  LiveState state;
  state.since_progress = 1s;
  EXPECT_FALSE(contains(live(sample_progress(), state), "no news"));
  state.since_progress = 12s;
  EXPECT_TRUE(contains(live(sample_progress(), state), "no update for 12.0 s"));
}

TEST(LiveView, ShowsTheOutcomeAtTheEnd) {
  LiveState state;
  state.outcome = "work left";
  state.since_progress = 60s;
  const std::string view = live(held_progress(), state);
  EXPECT_TRUE(contains(view, "work left")) << view;
  EXPECT_FALSE(contains(view, "held")) << view;
  EXPECT_FALSE(contains(view, "no news")) << view;
  EXPECT_TRUE(contains(view, "elapsed 5m22s")) << view;
}

}  // namespace
}  // namespace pgsluice::report
