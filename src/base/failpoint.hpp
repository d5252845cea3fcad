#pragma once

namespace pgsluice::base {

/// A named place at which a test can end the process as a power cut would. PGSLUICE_FAILPOINT="after_update"
/// kills there at the first pass, "after_update:7" at the seventh. Compiled to nothing unless
/// PGSLUICE_FAILPOINTS is set.
#ifdef PGSLUICE_FAILPOINTS
void failpoint(const char* name);
#else
inline void failpoint(const char*) {}
#endif

}  // namespace pgsluice::base
