#pragma once

#include <string>

#include "engine/run/run_row.hpp"
#include "pg/connection/session.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// Finds out whether every step that has changed something can be undone, registers the rollback as a run,
/// sets the job to "rolling back", which no run starts on, and takes their ranges from runs that died. Goes
/// on with a rollback that was interrupted, or joins one that is at work. Throws Error(kNoSuchJob), and
/// Error(kRefused), having changed nothing, for an obstacle, another definition or a live run. Blocks.
OpenedRollback open_rollback(pg::Session& session, const Job& job, const std::string& run_id);

/// "Rolled back", once every step is. Commits by itself; another rollback may have done it.
void close_rollback(pg::Session& session, const std::string& job, std::int64_t job_id);

}  // namespace pgsluice::engine
