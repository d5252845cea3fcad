#pragma once

#include <sys/types.h>

namespace pgsluice::bench {

/// CPU seconds of a process, of its living children and of those it has waited for: a server with all its
/// backends.
double cpu_seconds_of_family(pid_t parent);

/// CPU seconds of this process alone.
double cpu_seconds_of_this_process();

/// CPU seconds of the children that this process has waited for.
double cpu_seconds_of_ended_children();

/// Highest resident size so far in MB (VmHWM); 0 once the process is gone.
double resident_peak_mb(pid_t pid);

}  // namespace pgsluice::bench
