#pragma once

#include <string>
#include <vector>

#include "pg/connection/session.hpp"
#include "pgsluice/folder.hpp"

namespace pgsluice::engine {

/// The tool whose version table has this name and these columns; empty: none that we know. Pure.
std::string tool_of(const std::string& table, const std::vector<std::string>& columns);

/// The version tables of other tools, in any schema, that this role may read. Writes nothing. A table that
/// cannot be read after all is told with the reason. Throws Failure if the connection is lost.
std::vector<OtherVersion> read_other_versions(pg::Session& session);

}  // namespace pgsluice::engine
