#pragma once

#include "kinds/kind/step_kind.hpp"
#include "pgsluice/job.hpp"
#include "pgsluice/plan.hpp"

namespace pgsluice::engine {

/// Fills in what a copy will send to both servers, along which key, and what it will meet there. Notes say
/// what run would refuse. Reads catalogs only. Throws Failure.
void plan_copy(const StepAt& at, const CopyStep& step, PlannedStep& planned);

}  // namespace pgsluice::engine
