#pragma once

#include <string>
#include <vector>

#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// All of a retype except its tunables, `cutover` and `kill_blockers_after`.
std::vector<std::string> definition_of(const RetypeStep& step);

/// Reads a retype back from the lines of definition_of(), as the ledger keeps them, so that cut-over and
/// contract need only the job's name. Its tunables have their defaults. Throws Error(kInternal) for lines
/// that definition_of() did not write.
RetypeStep retype_of_definition(const std::vector<std::string>& lines);

}  // namespace pgsluice::engine
