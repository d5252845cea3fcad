#pragma once

#include <string>
#include <vector>

#include "pgsluice/job.hpp"

namespace pgsluice::job {

/// Reads a retype back from the lines of its step_definition, as the ledger keeps them: so that the last acts
/// need the job's name only. Its tunables have their defaults. Throws Error(kInternal) for lines that
/// step_definition did not write.
RetypeStep retype_of_definition(const std::vector<std::string>& lines);

}  // namespace pgsluice::job
