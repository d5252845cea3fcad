#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace pgsluice::engine {

/// What is known about a run that was told to stop and has not ended yet.
struct EndFacts {
  using Time = std::chrono::milliseconds;

  Time drains_for{0};                 // since it was told
  Time grace{0};                      // how long work in progress may take
  int signals = 0;                    // received so far
  std::string commit_wait;            // a COMMIT of ours waits for a standby, in words; empty: none does
  std::optional<Time> aborts_for;     // since work in progress was first told to end
  std::optional<Time> cancelled_for;  // since a cancel was last sent
  bool is_operators_cancel = false;   // rather than any other reason to stop
  bool are_lanes_at_work = false;
  bool is_statement_in_flight = false;  // not a lane's
  bool may_close_beside = false;        // the run's row in the ledger is open, and nothing else closes it
};

/// What must be done about it now, all of it at once.
struct EndDecision {
  std::string abort_because;    // not empty: work in progress has no more time
  bool cuts_statement = false;  // the statement in flight is cancelled, everything else may continue
  bool sends_cancels = false;   // to all work in progress
  bool closes_beside = false;   // the end is written to the ledger while the story hangs
  bool leaves = false;          // the process ends: the server does not answer
};

/// An operator's cancel also ends a long statement, while batches end by themselves; the end of the grace, a
/// second signal and a COMMIT that waits for a standby end all work in progress. Pure.
EndDecision decide_end(const EndFacts& facts);

}  // namespace pgsluice::engine
