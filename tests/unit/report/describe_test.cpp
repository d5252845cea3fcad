// Goal: each event says in words what happened and why, and with the weight that decides where it is shown.
#include "report/text/describe.hpp"

#include <gtest/gtest.h>

#include "unit/report/samples.hpp"

namespace pgsluice::report {
namespace {

event::BatchFailed failed(const std::string& action, double backoff_s) {
  return {3, 1, "55P03", "canceling statement due to lock timeout", 2, action, backoff_s};
}

TEST(Describe, NamesTheErrorTheAttemptAndWhatIsDoneAboutIt) {
  EXPECT_EQ(describe(failed("retry", 0.2)).text,
            "range 3, lane 1, attempt 2: canceling statement due to lock timeout (55P03): retry in 200 ms");
  EXPECT_EQ(
      describe(failed("shrink", 0)).text,
      "range 3, lane 1, attempt 2: canceling statement due to lock timeout (55P03): retry with fewer rows");
}

TEST(Describe, WeighsAFailureByWhatIsDoneAboutIt) {
  EXPECT_EQ(describe(failed("retry", 0)).weight, Weight::kNews);
  EXPECT_EQ(describe(failed("quarantine", 0)).weight, Weight::kWarning);
  EXPECT_EQ(describe(failed("fail", 0)).weight, Weight::kError);
}

TEST(Describe, TellsWhyAHoldBeganAndHowLongItTook) {
  EXPECT_EQ(
      describe(event::Throttle{"hold", "replica_lag", 3.1, 2, "s", 0, "replica r1 is 3.1 s behind", 0}).text,
      "held: replica r1 is 3.1 s behind");
  EXPECT_EQ(
      describe(event::Throttle{"slow", "replica_lag", 1.4, 2, "s", 0.4, "replica r1 is 1.4 s behind", 0})
          .text,
      "slowed to 40 %: replica r1 is 1.4 s behind");
  EXPECT_EQ(describe(event::Throttle{"go", "replica_lag", 0.2, 2, "s", 1, "", 12.3}).text,
            "continuing, held for 12.3 s");
}

TEST(Describe, SaysWhoGaveWhichCommand) {
  EXPECT_EQ(describe(event::Command{"alice@db1", "set", "batch.target=500ms", "quiet night"}).text,
            "set batch.target=500ms by alice@db1: quiet night");
}

TEST(Describe, TreatsAMismatchAsAnError) {
  EXPECT_EQ(describe(event::Verify{"nobody-left", "0", "0", true}).weight, Weight::kNews);
  const auto mismatch = describe(event::Verify{"nobody-left", "0", "17", false});
  EXPECT_EQ(mismatch.weight, Weight::kError);
  EXPECT_EQ(mismatch.text, "verify nobody-left: expected 0, found 17");
}

TEST(Describe, WarnsOfACommandThatFailed) {
  const auto fine = describe(event::Hook{"before", "stop-workers", 0, "", 1.5, "stopped 3\nof 3"});
  EXPECT_EQ(fine.weight, Weight::kNews);
  EXPECT_EQ(fine.text, "command `before` exited with 0 after 1.5 s: stopped 3 of 3");
  const auto ended = describe(event::Hook{"after", "sleep 9", -1, "its time is over", 1.0, ""});
  EXPECT_EQ(ended.weight, Weight::kWarning);
  EXPECT_EQ(ended.text, "command `after` ended after 1.0 s, its time is over");
}

TEST(Describe, CallsATakenOverRangeNewsAndAnyOtherLeaseADetail) {
  EXPECT_EQ(describe(event::Lease{3, 1, 2, true}).weight, Weight::kNews);
  EXPECT_EQ(describe(event::Lease{3, 1, 1, false}).weight, Weight::kDetail);
}

TEST(Describe, PutsAStatementOnOneLine) {
  EXPECT_EQ(describe(event::Statement{"add", "ALTER TABLE t\n  ADD c int", "ACCESS EXCLUSIVE"}).text,
            "ALTER TABLE t ADD c int [ACCESS EXCLUSIVE]");
}

TEST(Describe, TellsWhatAStepDid) {
  EXPECT_EQ(describe(event::StepEnded{"fill", "backfill", "done", {10, 2, 1}, 3.5}).text,
            "step fill done after 3.5 s: 10 rows changed, 2 already right, 1 quarantined");
  EXPECT_EQ(describe(event::StepEnded{"add", "sql", "done", {}, 0.2}).text, "step add done after 200 ms");
}

}  // namespace
}  // namespace pgsluice::report
