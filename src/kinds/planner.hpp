#pragma once

#include <string>

#include "pg/connection/session.hpp"
#include "pgsluice/job.hpp"
#include "pgsluice/plan.hpp"

namespace pgsluice::engine {

/// Every statement that run will send for `job`, in order, with its lock; the texts come from the functions
/// that run itself uses. What depends on an earlier step is planned as far as possible, with a note. Works
/// without a ledger, writes nothing, reads only the catalog. `target` is the database in words. Blocks.
/// Throws Failure.
Plan make_plan(pg::Session& session, const Job& job, const std::string& target);

}  // namespace pgsluice::engine
