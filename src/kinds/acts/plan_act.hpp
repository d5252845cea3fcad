#pragma once

#include <vector>

#include "kinds/acts/act.hpp"
#include "pgsluice/plan.hpp"

namespace pgsluice::engine {

/// Adds statements of an act; its name goes before whatever else says when they are sent.
void add_of_act(const Act& act, std::vector<PlannedStatement> statements, PlannedStep& planned);

/// What run_acts() will send for it. REQUIRES: no fill, whose statements depend on its table. Pure.
void plan_act(const Act& act, PlannedStep& planned);

}  // namespace pgsluice::engine
