#pragma once

#include "kinds/kind/step_kind.hpp"
#include "kinds/retype/graph/names.hpp"
#include "pgsluice/job.hpp"
#include "pgsluice/plan.hpp"

namespace pgsluice::engine {

/// Every act of a retype with its statements and their locks, the cut-over and contract included, as they
/// follow from the catalog of now: of a retype that has begun, the acts that are done too. What stands in the
/// way of one that has not becomes a note.
void plan_retype(const StepAt& at, const RetypeStep& step, const steps::retype::Owner& owner,
                 PlannedStep& planned);

}  // namespace pgsluice::engine
