#pragma once

#include <string>
#include <vector>

#include "pg/connection/session.hpp"
#include "pgsluice/folder.hpp"

namespace pgsluice::engine {

/// The jobs behind `to` that have left something in the database, last one first. Asks of each whether it can
/// be rolled back, before anyone touches the first; writes nothing. Throws Error(kRefused) that names every
/// obstacle, Error(kNoSuchJob) for an unknown `to`, and Failure.
std::vector<FiledJob> jobs_to_roll_back(pg::Session& session, const std::vector<FiledJob>& jobs,
                                        const std::string& to);

}  // namespace pgsluice::engine
