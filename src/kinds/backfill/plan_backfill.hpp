#pragma once

#include "kinds/ddl/outlook.hpp"
#include "pg/connection/session.hpp"
#include "pgsluice/job.hpp"
#include "pgsluice/plan.hpp"

namespace pgsluice::engine {

/// Fills in what a backfill step will send, along which key and why, and what it will cost. The notes say
/// what an earlier step has yet to make, and what run would refuse. Reads only the catalog. Throws Failure.
void plan_backfill(pg::Session& session, const Job& job, const BackfillStep& step, const Outlook& outlook,
                   PlannedStep& planned);

}  // namespace pgsluice::engine
