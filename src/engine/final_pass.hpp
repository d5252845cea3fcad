#pragma once

#include <string>

#include "engine/backfill_step.hpp"

namespace pgsluice::engine {

/// What a look for rows left behind came to.
enum class Found {
  kNothing,  // the step is complete
  kRows,     // and ranges were cut for them
  kGoOn,     // another lane or run is at it; or nobody knows, for the look was cancelled
  kNewOnes,  // rows that match come faster than sweeps: they are not those that were there at the start
};
struct Completeness {
  Found found = Found::kGoOn;
  std::string how;  // rows that were found are changed, for the event log
};

/// After a walk over blocks an update of the application may have moved a row behind it. Asks in one snapshot
/// which rows are left. A few are changed by their keys, which is proof: keys do not move. For more, blocks
/// are swept again, and if that does not settle it the whole key is walked. Blocks, for as long as the
/// server takes to read the table once; may be cancelled. `sweeps` counts those of this run.
Completeness look_for_rows_left(pg::Session& session, const PreparedBackfill& step, int lanes, int sweeps);

/// What it sends where there is a key; for `plan`.
std::string rows_left_sql(const pg::Table& table, const BackfillStep& step, const walk::Keyset& keyset);

}  // namespace pgsluice::engine
