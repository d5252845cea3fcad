#pragma once

#include <set>
#include <string>

#include "job/read/section.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::job {

/// Everything of a job that is not its identity: the same at the top level and in [env.NAME], which is laid
/// over it.
struct Settings {
  Job job;  // name and steps stay empty
  std::set<std::string>
      written;  // keys of [batch] that the file names, so that the defaults of the others may follow
  bool has_conflict = false;  // reported already: an overlay need not repeat it
};

/// Lays what the section says over `settings`.
void read_settings(Section& section, Settings& settings);

}  // namespace pgsluice::job
