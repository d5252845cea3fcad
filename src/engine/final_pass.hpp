#pragma once

#include "engine/backfill_step.hpp"

namespace pgsluice::engine {

/// What becomes of a step whose ranges are all done.
enum class Completeness {
  kProved,   // nothing is left
  kCut,      // ranges were cut for the rows that are left
  kGoOn,     // by another lane or run
  kGivenUp,  // rows that match come faster than sweeps: they are not those that were there at the start
};

/// After a walk over blocks an update of the application may have moved a row behind it. Asks whether any row
/// is left, in one snapshot; if so cuts ranges of a final pass, along a key if there is one, else over blocks
/// again, at most kSweepsMax times. Blocks, for as long as the server takes to read the table once; may be
/// cancelled. `sweeps` counts those of this run.
Completeness look_for_rows_left(pg::Session& session, const PreparedBackfill& step, int lanes, int sweeps);

}  // namespace pgsluice::engine
