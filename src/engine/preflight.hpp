#pragma once

#include <vector>

#include "pg/session.hpp"
#include "pgsluice/job.hpp"
#include "pgsluice/plan.hpp"

namespace pgsluice::engine {

/// Looks for everything that would stop or harm a run of `job`, before any write: refusals first, then
/// warnings, then what is good to know. Steps that are done are not looked at. With `is_ledger_needed`, the
/// role must be able to work with the ledger. Reads the catalog only, never the table. Blocks. Throws
/// Failure.
std::vector<Finding> preflight(pg::Session& session, const Job& job, bool is_ledger_needed);

}  // namespace pgsluice::engine
