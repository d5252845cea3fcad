// Goal: a run that is told to stop ends in time, whatever the server does, and cuts nothing before it must.

#include "engine/run/stopping/end_decision.hpp"

#include <gtest/gtest.h>

namespace pgsluice::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

EndFacts draining() {
  EndFacts facts;
  facts.drains_for = seconds{1};
  facts.grace = seconds{20};
  facts.signals = 1;
  facts.is_statement_in_flight = true;
  return facts;
}

EndFacts aborting(milliseconds since) {
  auto facts = draining();
  facts.aborts_for = since;
  facts.cancelled_for = milliseconds{20};
  return facts;
}

bool is_nothing(const EndDecision& d) {
  return d.abort_because.empty() && !d.cuts_statement && !d.sends_cancels && !d.closes_beside && !d.leaves;
}

TEST(EndDecision, LetsWhatIsInWorkFinishWithinTheGrace) {
  EXPECT_TRUE(is_nothing(decide_end(draining())));
}

TEST(EndDecision, CancelsOnceTheGraceIsOver) {
  auto facts = draining();
  facts.drains_for = facts.grace;
  const auto decision = decide_end(facts);
  EXPECT_EQ(decision.abort_because, "the grace of 20.0 s is over");
  EXPECT_TRUE(decision.sends_cancels);
  EXPECT_FALSE(decision.leaves);
}

TEST(EndDecision, CancelsAtTheSecondSignalAndForACommitThatWaitsForAStandby) {
  auto twice = draining();
  twice.signals = 2;
  EXPECT_EQ(decide_end(twice).abort_because, "a second signal");
  auto waits = draining();
  waits.commit_wait = "a COMMIT waits for a standby";
  EXPECT_EQ(decide_end(waits).abort_because, "a COMMIT waits for a standby");
}

TEST(EndDecision, AnOperatorsCancelCutsALongStatementButNoBatch) {
  auto facts = draining();
  facts.is_operators_cancel = true;
  EXPECT_TRUE(decide_end(facts).cuts_statement);
  EXPECT_TRUE(decide_end(facts).abort_because.empty());
  facts.are_lanes_at_work = true;
  EXPECT_TRUE(is_nothing(decide_end(facts))) << "batches end by themselves";
  facts.are_lanes_at_work = false;
  facts.is_statement_in_flight = false;
  EXPECT_TRUE(is_nothing(decide_end(facts)));
}

TEST(EndDecision, SendsACancelAgainThatCameToNothing) {
  auto facts = aborting(milliseconds{150});
  EXPECT_FALSE(decide_end(facts).sends_cancels) << "the last one is still on its way";
  facts.cancelled_for = milliseconds{100};
  EXPECT_TRUE(decide_end(facts).sends_cancels);
  EXPECT_TRUE(decide_end(facts).abort_because.empty()) << "told once";
}

TEST(EndDecision, TellsTheLedgerBesideAStoryThatHangs) {
  auto facts = aborting(milliseconds{360});
  EXPECT_FALSE(decide_end(facts).closes_beside) << "it has no row, or the story tells it";
  facts.may_close_beside = true;
  EXPECT_TRUE(decide_end(facts).closes_beside);
  EXPECT_FALSE(decide_end(facts).leaves);
}

TEST(EndDecision, LeavesAServerThatDoesNotAnswer) {
  EXPECT_FALSE(decide_end(aborting(milliseconds{700})).leaves);
  EXPECT_TRUE(decide_end(aborting(milliseconds{701})).leaves);
}

}  // namespace
}  // namespace pgsluice::engine
