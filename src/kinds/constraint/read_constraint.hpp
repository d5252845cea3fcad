#pragma once

#include <cstddef>
#include <string>

#include "job/read/section.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// Of a name in the catalog, NAMEDATALEN - 1: the server cuts off the rest.
inline constexpr std::size_t kConstraintNameBytesMost = 63;

/// Reads the keys of a constraint step beside kind and name. Mistakes go to the section.
ConstraintStep read_constraint(job::Section& section, std::string name);

}  // namespace pgsluice::engine
