#pragma once

#include <functional>

#include "pg/session.hpp"
#include "pgsluice/event.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// Undoes the steps of a job in reverse order: sql by `down`, an index that the job built by DROP INDEX
/// CONCURRENTLY; a backfill's values go with the columns that an earlier step's `down` drops. Each step's
/// undoing commits together with the ledger's note of it (an index, which cannot, is dropped again
/// harmlessly), so that an interrupted rollback goes on when it is called again. While it works, `control` is
/// 'cancel': no run starts beside it. Afterwards the job can be run again from its beginning.
///
/// Throws Error(kRefused), before anything is touched, if a step that has changed something cannot be undone,
/// if the definition changed, or while a run of the job is alive; Error(kNoSuchJob); Error(kFailed) when a
/// lock cannot be acquired. What happens goes to `tell` and into the job's event log. Blocks, and sleeps
/// between attempts. REQUIRES: a ledger, in this database.
void rollback_job(pg::Session& session, const Job& job, const std::function<void(EventBody)>& tell);

}  // namespace pgsluice::engine
