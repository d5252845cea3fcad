#pragma once

#include "kinds/ddl/outlook.hpp"
#include "kinds/retype/graph/names.hpp"
#include "pg/session.hpp"
#include "pgsluice/job.hpp"
#include "pgsluice/plan.hpp"

namespace pgsluice::engine {

/// Every act of a retype with its statements and their locks, the cut-over and contract included, as they
/// follow from the catalog of now: of a retype that has begun, the acts that are done too. What stands in the
/// way of one that has not becomes a note.
void plan_retype(pg::Session& session, const Job& job, const RetypeStep& step, const Outlook& outlook,
                 const steps::retype::Owner& owner, bool is_begun, PlannedStep& planned);

}  // namespace pgsluice::engine
