#pragma once

#include <string>

#include "kinds/ddl/outlook.hpp"
#include "pg/connection/session.hpp"
#include "telling/findings.hpp"

namespace pgsluice::engine {

/// Checks the statement's table, if it exists now: whether we own it, and what would block its locks. It may
/// be a view, or still to be made.
void check_statement(pg::Session& session, const std::string& sql, const Outlook& outlook,
                     Findings& findings);

}  // namespace pgsluice::engine
