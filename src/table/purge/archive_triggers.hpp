#pragma once

#include <string>
#include <vector>

#include "table/removal.hpp"

namespace pgsluice::engine {

/// User-defined, enabled triggers that the archive's INSERTs fire, for each row or once; none without an
/// archive. Throws Failure.
std::vector<std::string> archive_triggers(pg::Session& session, const Removal& removal);

}  // namespace pgsluice::engine
