#pragma once

#include "kinds/kind/step_kind.hpp"

namespace pgsluice::engine {

/// What the purge sends, how many rows it deletes and what that costs, and whom it reaches.
void plan_purge(const StepAt& at, const PurgeStep& step, PlannedStep& planned);

}  // namespace pgsluice::engine
