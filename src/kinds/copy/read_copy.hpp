#pragma once

#include <string>

#include "job/read/section.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// Reads the keys of a copy other than kind and name. Mistakes go to the section.
CopyStep read_copy(job::Section& section, std::string name);

}  // namespace pgsluice::engine
