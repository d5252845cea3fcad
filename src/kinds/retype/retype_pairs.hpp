#pragma once

#include <vector>

#include "pg/session.hpp"
#include "pgsluice/job.hpp"
#include "telling/findings.hpp"

namespace pgsluice::engine {

/// Finds two retypes of one job that have not begun and share an index, a key or a CHECK: until the earlier
/// is contracted, the later one's twins would need names that the earlier one still uses. Refuses where one
/// run would cut over the first and then could not begin the second; otherwise warns. Reads the catalog only.
void check_retypes_together(pg::Session& session, const Job& job, const std::vector<RetypeStep>& steps,
                            Findings& findings);

}  // namespace pgsluice::engine
