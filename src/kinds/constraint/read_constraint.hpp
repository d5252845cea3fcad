#pragma once

#include <string>

#include "job/read/section.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// Reads the keys of a constraint step beside kind and name. Mistakes go to the section.
ConstraintStep read_constraint(job::Section& section, std::string name);

}  // namespace pgsluice::engine
