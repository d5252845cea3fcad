#pragma once

#include <functional>

#include "pg/connection/session.hpp"
#include "pgsluice/event.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// Undoes the steps of a job in reverse order: sql by `down`, an index that the job built by DROP INDEX
/// CONCURRENTLY; a backfill's values go with the columns that an earlier step's `down` drops. Undoing a step
/// commits together with the ledger's note of it (an index cannot, but dropping it again is harmless), so
/// that an interrupted rollback continues when called again. While it works, `control` is 'cancel', so that
/// no run starts at the same time. Afterwards the job can be run again from the beginning.
///
/// Throws Error(kRefused), before changing anything, if a step that has changed something cannot be undone,
/// if the definition changed, or while a run of the job is live; Error(kNoSuchJob); Error(kFailed) when a
/// lock cannot be acquired. Events go to `tell` and into the job's event log. Blocks, and sleeps between
/// attempts. REQUIRES: a ledger, in this database.
void rollback_job(pg::Session& session, const Job& job, const std::function<void(EventBody)>& tell);

}  // namespace pgsluice::engine
