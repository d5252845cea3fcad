#pragma once

#include <functional>
#include <memory>

#include "lanes/batch/backfill_step.hpp"
#include "pg/connection/session.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// A session at the source of the step; nullptr: it names no other database than the target's. Blocks. Throws
/// Error(kUsage) for a dsn that cannot be read, SourceFailure.
std::unique_ptr<pg::Session> open_source(const CopyStep& step);

/// Runs `work` with a session at the source of the step: one opened for it, or `target` if the step names no
/// other database. Blocks. Throws Error(kUsage) for a dsn that cannot be read, Failure.
void with_source(pg::Session& target, const CopyStep& step, const std::function<void(pg::Session&)>& work);

/// Prepares a copy: a fill that walks the source, and writes into the target. `queue_sql`: that of a copy
/// that follows its source, else empty. Blocks; may be called again. Throws Error if the step cannot work,
/// Failure.
PreparedBackfill prepare_copy(pg::Session& session, const CopyStep& step, std::int64_t step_id,
                              const std::string& queue_sql);

/// Copies the step's rows.
Prepare copying_of(CopyStep step, std::string queue_sql = {});

}  // namespace pgsluice::engine
