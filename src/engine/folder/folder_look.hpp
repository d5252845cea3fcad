#pragma once

#include <vector>

#include "pg/connection/session.hpp"
#include "pgsluice/folder.hpp"

namespace pgsluice::engine {

/// Where each job of the folder stands, what the ledger knows beside them, and what other tools' version
/// tables say. The ledger is read once for all jobs; the server is asked about a single one only if its file
/// differs. Writes nothing. Throws Failure, and Error(kRefused) for a ledger of an older format.
FolderOverview look_at_folder(pg::Session& session, const std::vector<FiledJob>& jobs);

}  // namespace pgsluice::engine
