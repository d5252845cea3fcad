#pragma once

#include <optional>

#include "job/read/section.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// Reads one [[step]]; its label is "step \"NAME\"" or, until its name is known, "step NUMBER". Mistakes go
/// to the section's diagnostics. nullopt if the kind is not known, otherwise whatever could be read.
std::optional<Step> read_step(job::Section& section);

}  // namespace pgsluice::engine
