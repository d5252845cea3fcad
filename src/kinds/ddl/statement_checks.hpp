#pragma once

#include <string>

#include "kinds/ddl/outlook.hpp"
#include "pg/session.hpp"
#include "telling/findings.hpp"

namespace pgsluice::engine {

/// The table that the statement is about, if it is there now: whether we own it, what is in the way of its
/// locks. It may be a view, or about to be made.
void check_statement(pg::Session& session, const std::string& sql, const Outlook& outlook,
                     Findings& findings);

}  // namespace pgsluice::engine
