#pragma once

#include <set>
#include <string>

#include "job/read/section.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::job {

/// Everything in a job except its identity: the same keys at the top level and in [env.NAME], which overrides
/// it.
struct Settings {
  Job job;                        // name and steps stay empty
  std::set<std::string> written;  // keys of [batch] in the file, so that the defaults of the others can adapt
  bool has_conflict = false;      // already reported: an overlay need not repeat it
};

/// Applies the section's values over `settings`.
void read_settings(Section& section, Settings& settings);

}  // namespace pgsluice::job
