#pragma once

#include "kinds/ddl/outlook.hpp"
#include "pg/session.hpp"
#include "pgsluice/job.hpp"
#include "telling/findings.hpp"

namespace pgsluice::engine {

/// A table, its columns, key, expressions, privileges and triggers, and what the change of its rows will
/// need.
void check_backfill_step(pg::Session& session, const Job& job, const BackfillStep& step,
                         const Outlook& outlook, Findings& findings);

}  // namespace pgsluice::engine
