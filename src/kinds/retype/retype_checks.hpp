#pragma once

#include "kinds/ddl/outlook.hpp"
#include "pg/connection/session.hpp"
#include "pgsluice/job.hpp"
#include "telling/findings.hpp"

namespace pgsluice::engine {

/// Finds obstacles to a retype that has not begun, and what to watch out for. Skips a retype whose tables an
/// earlier step creates. With `reads_values`, reads whole tables: rehearses the retype, reads values that may
/// be lost, and counts orphans of foreign keys that the server has not validated.
void check_retype_step(pg::Session& session, const Job& job, const RetypeStep& step, const Outlook& outlook,
                       bool reads_values, Findings& findings);

}  // namespace pgsluice::engine
