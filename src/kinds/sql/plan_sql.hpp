#pragma once

#include "kinds/ddl/outlook.hpp"
#include "pg/connection/session.hpp"
#include "pgsluice/job.hpp"
#include "pgsluice/plan.hpp"

namespace pgsluice::engine {

/// Plans the statements of a sql step as an attempt sends them, with the locks taken first and what takes
/// long under them. Adds each to the outlook before the next. Throws Failure.
void plan_sql(pg::Session& session, const SqlStep& step, Outlook& outlook, PlannedStep& planned);

}  // namespace pgsluice::engine
