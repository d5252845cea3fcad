#pragma once

#include <string>

#include "kinds/ddl/outlook.hpp"
#include "pg/session.hpp"
#include "pgsluice/job.hpp"
#include "telling/findings.hpp"

namespace pgsluice::engine {

/// The tables of an sql step: whether we own them, what is in the way of their locks.
void check_sql_step(pg::Session& session, const SqlStep& step, const Outlook& outlook, Findings& findings);

/// The table of an index step, and what stands under the index's name.
void check_index_step(pg::Session& session, const IndexStep& step, const Outlook& outlook,
                      Findings& findings);

}  // namespace pgsluice::engine
