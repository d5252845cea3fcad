// Goal: progress is honest: never 100 % before the end, never a number that is not known.
#include "report/text/progress_text.hpp"

#include <gtest/gtest.h>

#include "unit/report/samples.hpp"

namespace pgsluice::report {
namespace {

Progress with_rows(std::int64_t changed, std::int64_t expected) {
  Progress p;
  p.rows.changed = changed;
  p.rows_expected = expected;
  return p;
}

TEST(PercentDone, IsCutNotRounded) {
  EXPECT_EQ(percent_done(with_rows(0, 1'000)), 0.0);
  EXPECT_EQ(percent_done(with_rows(549, 10'000)), 5.4);
}

TEST(PercentDone, NeverReachesAHundredBeforeTheEnd) {
  EXPECT_EQ(percent_done(with_rows(1'000, 1'000)), 99.0);
  EXPECT_EQ(percent_done(with_rows(2'000, 1'000)), 99.0);
  EXPECT_EQ(percent_done(with_rows(999'999'999, 1'000'000'000)), 99.0);
}

TEST(PercentDone, CountsRowsThatNeededNoChange) {
  Progress p = with_rows(100, 1'000);
  p.rows.already_right = 300;
  p.rows.quarantined = 100;
  EXPECT_EQ(percent_done(p), 50.0);
}

TEST(PercentDone, IsUnknownWithoutATotal) {
  EXPECT_EQ(percent_done(with_rows(5, 0)), std::nullopt);
  EXPECT_EQ(rows_text(with_rows(5, 0)), "5 rows, total unknown");
}

TEST(EtaText, IsAQuestionMarkUntilKnown) {
  Progress p = sample_progress();
  EXPECT_EQ(eta_text(p), "ETA 4m31s");
  p.eta.reset();
  EXPECT_EQ(eta_text(p), "ETA ?");
}

TEST(SignalText, ShowsTheValueAgainstItsLimit) {
  EXPECT_EQ(signal_text({"replica_lag", 0.4, 2, "s", true, ""}), "lag 400 ms of 2.0 s");
  EXPECT_EQ(signal_text({"replica_lag_bytes", 1'048'576, 67'108'864, "bytes", true, ""}),
            "lag 1.0 MB of 64.0 MB");
  EXPECT_EQ(signal_text({"lock_wait", 0, 0.2, "s", true, ""}), "lock wait 0 ms of 200 ms");
}

TEST(SignalText, NeverShowsAnUnknownValueAsZero) {
  EXPECT_EQ(signal_text({"replica_lag", 0, 2, "s", false, ""}), "lag unknown");
}

TEST(HoldText, SaysHeldOrHowMuchSlower) {
  Progress p = held_progress();
  EXPECT_EQ(hold_text(p), "held: replica r1 is 3.1 s behind, the limit is 2 s");
  p.pace = 0.5;
  EXPECT_EQ(hold_text(p), "slowed to 50 %: replica r1 is 3.1 s behind, the limit is 2 s");
  EXPECT_EQ(hold_text(sample_progress()), "");
}

TEST(RateTexts, AskWhereTheBatchIsNotKnownYet) {
  Progress p = sample_progress();
  p.batch_time = std::chrono::milliseconds(0);
  const std::vector<std::string> expected = {"8,412 rows/s", "batch 1,800 x 4 lanes", "? a batch",
                                             "pace 100 %"};
  EXPECT_EQ(rate_texts(p, "x"), expected);
}

TEST(RateTexts, AreEmptyForAStepThatChangesNoRows) {
  EXPECT_TRUE(rate_texts(Progress{}, "x").empty());
}

}  // namespace
}  // namespace pgsluice::report
