#pragma once

#include <vector>

#include "pg/connection/session.hpp"
#include "pgsluice/job.hpp"
#include "pgsluice/plan.hpp"

namespace pgsluice::engine {

/// Looks for everything that would stop or harm a run of `job`, before any write: refusals first, then
/// warnings, then information. Skips steps that are done. With `is_ledger_needed`, the role must be able to
/// use the ledger. Rehearses retypes. Blocks. Throws Failure.
///
/// `reads_values`: also reads whole tables where a retype may lose values or there may be orphans, which
/// takes time; a run does that itself, at its own pace.
std::vector<Finding> preflight(pg::Session& session, const Job& job, bool is_ledger_needed,
                               bool reads_values = true);

}  // namespace pgsluice::engine
