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
  kGoOn,     // another lane or run is at it, or the run is to stop
  kGivenUp,  // nobody knows: the look did not get through
  kNewOnes,  // rows that match come faster than sweeps: they are not those that were there at the start
};
struct Completeness {
  Found found = Found::kGoOn;
  std::string how;    // rows that are left are changed, for the event log
  std::string cause;  // of that
};

/// After a walk over blocks an update of the application may have moved a row behind it. Looks in one
/// snapshot which rows are left. A few are changed by their keys, which is proof: keys do not move. For more,
/// blocks are swept again, and if that does not settle it, or no look gets through, the whole key is walked.
/// Takes as long as the server takes to read the table once, at the pace of the gate. `before` is what this
/// run has seen. Throws Error, Failure.
boost::asio::awaitable<Completeness> completeness(pg::Connection& connection, const PreparedBackfill& step,
                                                  Looks before, LookSurroundings at);

}  // namespace pgsluice::engine
