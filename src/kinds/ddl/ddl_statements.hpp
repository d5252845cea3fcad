#pragma once

#include <string>
#include <vector>

#include "kinds/ddl/ddl.hpp"

namespace pgsluice::engine {

/// What the text of each statement shows: which table is locked gently first, and which lock the statement
/// then takes. The gentle lock comes before statements that lock an existing table more strongly than SHARE
/// UPDATE EXCLUSIVE. REQUIRES: statements that the job layer has accepted.
std::vector<steps::DdlStatement> ddl_statements(const std::vector<std::string>& statements);

}  // namespace pgsluice::engine
