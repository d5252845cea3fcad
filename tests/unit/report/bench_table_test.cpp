// Goal: the table on the terminal shows what is known, marks the winner and says how it was measured.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "unit/report/bench_sample.hpp"
#include "unit/report/samples.hpp"

namespace pgsluice::report {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(BenchTable, MarksTheWinner) {
  const auto lines = bench_lines(sample_bench(), false);
  EXPECT_THAT(lines, Contains(AllOf(StartsWith("→ keyset"), HasSubstr(" 2  1,000  41,000  36,900–45,100"))));
  EXPECT_THAT(lines, Contains("→ most rows a second"));
}

TEST(BenchTable, HoldsTheSectionToPaste) {
  const auto text = joined(bench_lines(sample_bench(), false));
  EXPECT_TRUE(contains(text, "    [pool]\n    lanes = 2\n\n    [batch]\n    rows = 1000")) << text;
}

TEST(BenchTable, SaysNotAvailableRatherThanZero) {
  const auto lines = bench_lines(sample_bench(), false);
  EXPECT_THAT(lines, Contains(AllOf(StartsWith("→ keyset"), HasSubstr("n/a")))) << "no CPU is known";
}

TEST(BenchTable, ShowsOthersOnlyWhereThereWasTraffic) {
  auto report = sample_bench();
  EXPECT_FALSE(contains(joined(bench_lines(report, false)), "others"));
  report.others_rate = 250;
  report.others_alone_p99_ms = spread(2, 3, 4);
  const auto text = joined(bench_lines(report, false));
  EXPECT_TRUE(contains(text, "others p99"));
  EXPECT_TRUE(contains(text, "the traffic, 250 transactions/s, sees without us: p50 0.0 ms, p99 3.0 ms"));
}

TEST(BenchTable, TellsMethodsNotesWhatWasLeftOutAndWhatDoesNotCount) {
  auto report = sample_bench();
  report.figures[0].remarks = {"a batch ran into its statement_timeout"};
  report.ended_early = "a signal asked to stop";
  const auto text = joined(bench_lines(report, false));
  for (const char* part : {"rows/s: rows changed", "foreign keys are not copied", "blocks: no `where`",
                           "keyset, 1 lane, 1,000 rows: a trial was not counted: a batch ran into",
                           "ended early: a signal asked to stop"}) {
    EXPECT_TRUE(contains(text, part)) << part << "\n" << text;
  }
}

TEST(BenchTable, CannotBeSteeredByWhatAServerSays) {
  auto report = sample_bench();
  report.notes = {"trigger \"\x1b[2J\" fired"};
  EXPECT_FALSE(contains(joined(bench_lines(report, false)), "\x1b"));
}

TEST(BenchTable, IsColouredOnlyOnRequest) {
  EXPECT_FALSE(contains(joined(bench_lines(sample_bench(), false)), "\x1b"));
  EXPECT_TRUE(contains(joined(bench_lines(sample_bench(), true)), "\x1b[1m→ keyset"));
}

TEST(BenchTable, SaysWhyThereIsNoWinner) {
  auto report = sample_bench();
  report.winner.reset();
  report.advice.clear();
  report.verdict = "no setting's batch p95 meets batch.target";
  const auto lines = bench_lines(report, false);
  EXPECT_THAT(lines, Contains("no winner: no setting's batch p95 meets batch.target"));
  EXPECT_THAT(lines, Not(Contains(StartsWith("→"))));
}

}  // namespace
}  // namespace pgsluice::report
