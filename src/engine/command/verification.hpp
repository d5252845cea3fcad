#pragma once

#include <vector>

#include "kinds/kind/step_kind.hpp"
#include "pg/connection/session.hpp"
#include "pgsluice/engine.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// Runs the query of every verify step, and counts the rows that still match the `where` of every backfill
/// step: only quarantined rows may be left. Reads whole tables, each in a read-only transaction; writes
/// nothing, unless the options say that rows of copies are mended. Blocks. Throws Error as
/// steps::verify_value does, and Failure when the connection is lost.
std::vector<VerifyResult> verify_job(pg::Session& session, const Job& job, const VerifyOptions& options);

}  // namespace pgsluice::engine
