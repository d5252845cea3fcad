#include "engine/run/stopping/end_decision.hpp"

#include "base/units.hpp"

namespace pgsluice::engine {
namespace {

// A cancel that reaches the server between two statements has no effect, so it is sent again.
constexpr std::chrono::milliseconds kCancelAgain{100};
// Cancelled work ends at once, unless the server no longer answers: then the process exits without waiting.
// Nothing is lost: the server alone decides what commits, and the next run asks it.
constexpr std::chrono::milliseconds kAbortMost{700};
// By then the story has ended, or something in it does not answer: the ledger is written without it.
constexpr std::chrono::milliseconds kStoryMost{350};

std::string urgency(const EndFacts& facts) {
  if (facts.signals >= 2) return "a second signal";
  if (facts.drains_for >= facts.grace)
    return "the grace of " + base::format_duration(facts.grace) + " is over";
  return facts.commit_wait;  // what waits for a standby would not end within the grace
}

}  // namespace

EndDecision decide_end(const EndFacts& facts) {
  EndDecision decision;
  const bool may_cancel = !facts.cancelled_for || *facts.cancelled_for >= kCancelAgain;
  if (!facts.aborts_for) {
    decision.abort_because = urgency(facts);
    decision.sends_cancels = !decision.abort_because.empty() && may_cancel;
    decision.cuts_statement = decision.abort_because.empty() && facts.is_operators_cancel &&
                              !facts.are_lanes_at_work && facts.is_statement_in_flight && may_cancel;
    return decision;
  }
  decision.sends_cancels = may_cancel;
  decision.closes_beside = facts.may_close_beside && *facts.aborts_for > kStoryMost;
  decision.leaves = *facts.aborts_for > kAbortMost;
  return decision;
}

}  // namespace pgsluice::engine
