#pragma once

#include "kinds/ddl/outlook.hpp"
#include "pg/session.hpp"
#include "pgsluice/job.hpp"
#include "telling/findings.hpp"

namespace pgsluice::engine {

/// What stands in the way of a retype that has not begun, and what to mind. Nothing of tables that an earlier
/// step makes. Counts orphans of foreign keys that the server has not validated, which reads their tables; so
/// does `reads_values` where values may be lost.
void check_retype_step(pg::Session& session, const Job& job, const RetypeStep& step, const Outlook& outlook,
                       bool reads_values, Findings& findings);

}  // namespace pgsluice::engine
