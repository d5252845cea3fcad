#pragma once

#include <string>

#include "job/read/section.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// Reads a [[step]] of kind "purge". Mistakes go to the section's diagnostics.
PurgeStep read_purge(job::Section& section, std::string name);

}  // namespace pgsluice::engine
