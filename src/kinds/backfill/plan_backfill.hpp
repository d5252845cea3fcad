#pragma once

#include "kinds/kind/step_kind.hpp"
#include "pgsluice/job.hpp"
#include "pgsluice/plan.hpp"

namespace pgsluice::engine {

/// Fills in what a backfill step will send, along which key and why, and what it will cost. The notes say
/// what an earlier step has yet to make, and what run would refuse. Reads only the catalog, unless batches
/// may be sampled. Throws Failure.
void plan_backfill(const StepAt& at, const BackfillStep& step, PlannedStep& planned);

}  // namespace pgsluice::engine
