#pragma once

#include <string>
#include <vector>

#include "pg/connection/session.hpp"
#include "pgsluice/folder.hpp"

namespace pgsluice::engine {

/// Who adopts, and what is noted in the event log of each job.
struct Adopter {
  std::string actor;
  std::string reason;
};

/// Notes the jobs of the folder up to and including `up_to` as done, in one transaction; their statements are
/// not sent. Those that are applied already stay as they are. Returns the names of the others. Throws
/// Error(kRefused) that names every job which has begun and is not applied, Error(kNoSuchJob), and Failure.
/// REQUIRES: a ledger of the present format.
std::vector<std::string> adopt_jobs(pg::Session& session, const std::vector<FiledJob>& jobs,
                                    const std::string& up_to, const Adopter& adopter);

}  // namespace pgsluice::engine
