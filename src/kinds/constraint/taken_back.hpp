#pragma once

#include <string>

#include "kinds/kind/step_kind.hpp"

namespace pgsluice::engine {

/// What this job has made of the constraint, as statements that take it back: by the acts that the ledger has
/// as done. What was there before stays, and is told. Throws Failure.
void take_back_what_is_ours(const StepAt& at, const ConstraintStep& step, RollbackAct& act,
                            RollbackSurvey& survey);

}  // namespace pgsluice::engine
