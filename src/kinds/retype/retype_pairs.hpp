#pragma once

#include "kinds/kind/step_kind.hpp"

namespace pgsluice::engine {

/// Whether an earlier retype of the job that has not begun shares an index, a key or a CHECK with this one:
/// until the earlier is contracted, the later one's twins would bear the names of what the earlier keeps
/// behind. Refused where one run would cut over the first and then stand before the second; else a warning.
/// Catalog only.
void check_beside_earlier(const StepAt& at, const RetypeStep& step, Findings& findings);

}  // namespace pgsluice::engine
