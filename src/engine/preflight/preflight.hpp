#pragma once

#include <vector>

#include "pg/session.hpp"
#include "pgsluice/job.hpp"
#include "pgsluice/plan.hpp"

namespace pgsluice::engine {

/// Looks for everything that would stop or harm a run of `job`, before any write: refusals first, then
/// warnings, then what is good to know. Steps that are done are not looked at. With `is_ledger_needed`, the
/// role must be able to work with the ledger. Rehearses retypes. Blocks. Throws Failure.
///
/// `reads_values`: reads whole tables too, where a retype may lose values or hides orphans, which takes its
/// time; a run does so by itself, at its own pace.
std::vector<Finding> preflight(pg::Session& session, const Job& job, bool is_ledger_needed,
                               bool reads_values = true);

}  // namespace pgsluice::engine
