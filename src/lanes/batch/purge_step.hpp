#pragma once

#include "lanes/batch/backfill_step.hpp"

namespace pgsluice::engine {

/// The rows that a purge deletes, as a backfill selects them, with `as_of` for the time of day. Throws Error
/// if that cannot be put in its place. Pure.
BackfillStep selection_of(const PurgeStep& step, const std::string& as_of);

/// Throws Error(kRefused) if something may keep rows whose referring rows go first.
void refuse_swallowers(const PurgeStep& step, const pg::Swallowers& swallowers);

/// Reads what deleting these rows takes; writes nothing. Throws Error(kRefused) for what would lose rows or
/// stall others: a problem of a referring table or of the archive. Blocks.
Removal read_removal(pg::Session& session, const PurgeStep& step, pg::Table table, const std::string& as_of);

/// Where a purge is kept in the ledger: its step, and the act that walks.
struct PurgeRecord {
  std::int64_t step_id = 0;
  std::int64_t act_id = 0;
};

/// Prepares a purge: fixes the time that its `where` refers to and the columns along which it walks, makes or
/// completes the archive, and checks the statement. Blocks; may be called again, also by two runs at once.
/// Throws Error, Failure.
PreparedBackfill prepare_purge(pg::Session& session, const PurgeStep& step, PurgeRecord record, int lanes);

/// Deletes the rows, for an act of the step with that number.
Prepare purging(PurgeStep step, std::int64_t step_id);

}  // namespace pgsluice::engine
