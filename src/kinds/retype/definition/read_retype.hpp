#pragma once

#include <string>

#include "job/read/section.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// Reads the keys of a retype other than kind and name. Mistakes go to the section.
RetypeStep read_retype(job::Section& section, std::string name);

}  // namespace pgsluice::engine
