#include "engine/run/end_decision.hpp"

#include "base/units.hpp"

namespace pgsluice::engine {
namespace {

// A cancel that meets a server between two statements comes to nothing: it is sent again.
constexpr std::chrono::milliseconds kCancelAgain{100};
// What was cancelled ends at once, unless the server does not answer any more: then the process ends without
// it. Nothing is lost: the server decides alone what commits, and the next run asks it.
constexpr std::chrono::milliseconds kAbortMost{700};
// By then the story has ended, or something in it does not answer: the ledger is told without it.
constexpr std::chrono::milliseconds kStoryMost{350};

std::string urgency(const EndFacts& facts) {
  if (facts.signals >= 2) return "a second signal";
  if (facts.drains_for >= facts.grace)
    return "the grace of " + base::format_duration(facts.grace) + " is over";
  return facts.commit_wait;  // nothing that waits for a standby gets done in the grace
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
