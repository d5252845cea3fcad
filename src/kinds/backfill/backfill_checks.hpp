#pragma once

#include "kinds/ddl/outlook.hpp"
#include "pg/connection/session.hpp"
#include "pgsluice/job.hpp"
#include "telling/findings.hpp"

namespace pgsluice::engine {

/// Checks a table, its columns, key, expressions, privileges and triggers, and reports what changing its rows
/// will need.
void check_backfill_step(pg::Session& session, const Job& job, const BackfillStep& step,
                         const Outlook& outlook, Findings& findings);

}  // namespace pgsluice::engine
