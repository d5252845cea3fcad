#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>

#include "lanes/batch/backfill_step.hpp"
#include "lanes/ranges/look.hpp"

namespace pgsluice::engine {

/// Whether a step is complete.
enum class Found {
  kNothing,  // it is
  kRows,     // ranges were cut for rows left behind
  kGoOn,     // another lane or run is working on it, or the run is to stop
  kGivenUp,  // not known: the check could not finish
  kNewOnes,  // matching rows arrive faster than sweeps change them: they are not the ones present at the
             // start
};
struct Completeness {
  Found found = Found::kGoOn;
  std::string how;    // how the remaining rows are changed, for the event log
  std::string cause;  // why
};

/// During a walk over blocks an update by the application may move a row behind it. Checks in one snapshot
/// which rows are left. A few are changed by their keys, which is proof: keys do not move. For more, blocks
/// are swept again, and if that does not settle it, or no check can finish, the whole key is walked. Takes as
/// long as the server needs to read the table once, at the pace of the gate. `before` is what this run has
/// found so far. Throws Error, Failure.
boost::asio::awaitable<Completeness> completeness(pg::Connection& connection, const PreparedBackfill& step,
                                                  Looks before, LookSurroundings at);

}  // namespace pgsluice::engine
