#pragma once

#include "kinds/retype/graph/retype.hpp"
#include "pg/connection/session.hpp"
#include "telling/findings.hpp"

namespace pgsluice::engine {

/// Warns of tables of a retype that a logical publication sends: a subscriber that lacks a column stops at
/// the first row, and its slot keeps WAL. Throws Failure.
void warn_of_publications(pg::Session& session, const steps::retype::Retype& retype, Findings& findings);

}  // namespace pgsluice::engine
