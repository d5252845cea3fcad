#pragma once

#include <vector>

#include "pg/session.hpp"
#include "pgsluice/job.hpp"
#include "telling/findings.hpp"

namespace pgsluice::engine {

/// Two retypes of one job that have not begun and share an index, a key or a CHECK: until the earlier is
/// contracted, the later one's twins would bear the names of what the earlier keeps behind. Refused where one
/// run would cut over the first and then stand before the second; else a warning. Catalog only.
void check_retypes_together(pg::Session& session, const Job& job, const std::vector<RetypeStep>& steps,
                            Findings& findings);

}  // namespace pgsluice::engine
