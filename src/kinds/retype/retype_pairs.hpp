#pragma once

#include "kinds/kind/step_kind.hpp"

namespace pgsluice::engine {

/// Finds an earlier retype of the job that has not begun and shares an index, a key or a CHECK with this one:
/// until the earlier is contracted, this one's twins would need names that the earlier still uses. Refuses
/// where one run would cut over the first and then could not begin the second; otherwise warns. Reads the
/// catalog only.
void check_beside_earlier(const StepAt& at, const RetypeStep& step, Findings& findings);

}  // namespace pgsluice::engine
