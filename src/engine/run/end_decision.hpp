#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace pgsluice::engine {

/// What is known of a run that was told to stop and has not ended yet.
struct EndFacts {
  using Time = std::chrono::milliseconds;

  Time drains_for{0};                 // since it was told
  Time grace{0};                      // what is in work may take that long
  int signals = 0;                    // that have come
  std::string commit_wait;            // a COMMIT of ours waits for a standby, in words; empty: none does
  std::optional<Time> aborts_for;     // since what is in work was first told to end
  std::optional<Time> cancelled_for;  // since a cancel was last sent
  bool is_operators_cancel = false;   // rather than any other reason to stop
  bool are_lanes_at_work = false;
  bool is_statement_in_flight = false;  // of no lane
  bool may_close_beside = false;        // its row in the ledger is open, and nothing else ends it
};

/// What has to be done about it now, all at once.
struct EndDecision {
  std::string abort_because;    // not empty: what is in work has no more time
  bool cuts_statement = false;  // the one in flight ends, everything else may go on
  bool sends_cancels = false;   // to all that is in work
  bool closes_beside = false;   // the ledger is told of the end while the story hangs
  bool leaves = false;          // the process ends: the server does not answer
};

/// Who says cancel wants no long statement to go on, though batches end by themselves; the grace, a second
/// signal and a COMMIT that waits for a standby end whatever is in work. Pure.
EndDecision decide_end(const EndFacts& facts);

}  // namespace pgsluice::engine
