#pragma once

#include "kinds/kind/step_kind.hpp"
#include "kinds/retype/graph/names.hpp"
#include "pgsluice/job.hpp"
#include "pgsluice/plan.hpp"

namespace pgsluice::engine {

/// Plans every act of a retype with its statements and their locks, including the cut-over and contract, as
/// they follow from the current catalog; for a retype that has begun, also the acts that are done. Obstacles
/// to one that has not begun become notes.
void plan_retype(const StepAt& at, const RetypeStep& step, const steps::retype::Owner& owner,
                 PlannedStep& planned);

}  // namespace pgsluice::engine
