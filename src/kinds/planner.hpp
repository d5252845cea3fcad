#pragma once

#include <string>

#include "pg/connection/session.hpp"
#include "pgsluice/job.hpp"
#include "pgsluice/plan.hpp"

namespace pgsluice::engine {

/// Every statement that run will send for `job`, in order, with its lock; the texts come from the functions
/// that run itself uses. What depends on an earlier step is planned as far as possible, with a note. Works
/// without a ledger, keeps nothing, reads only the catalog unless batches may be sampled. `target` is the
/// database in words. Blocks. Throws Failure. `sampled_at`: where batches may be sampled for estimates, on
/// other connections; nullptr: nowhere.
Plan make_plan(pg::Session& session, const Job& job, const std::string& target,
               const pg::ConnectionTarget* sampled_at = nullptr);

}  // namespace pgsluice::engine
