#pragma once

#include "pg/session.hpp"
#include "pgsluice/job.hpp"
#include "pgsluice/plan.hpp"

namespace pgsluice::engine {

/// Every act of a retype with its statements and their locks, the cut-over and contract included, as they
/// follow from the catalog of now. What stands in the way becomes a note.
void plan_retype(pg::Session& session, const Job& job, const RetypeStep& step, PlannedStep& planned);

}  // namespace pgsluice::engine
