#pragma once

#include <optional>

#include "job/read/section.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::job {

/// Reads one [[step]]; its label is "step \"NAME\"" or, as long as no name is known, "step NUMBER". Mistakes
/// go to the section's diagnostics; nullopt where the kind is not known, otherwise whatever could be read.
std::optional<Step> read_step(Section& section);

/// Reads the keys of a backfill beside kind and name.
BackfillStep read_backfill(Section& section, std::string name);

/// Reads the keys of a retype beside kind and name.
RetypeStep read_retype(Section& section, std::string name);

}  // namespace pgsluice::job
