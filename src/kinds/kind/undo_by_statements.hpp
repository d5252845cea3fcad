#pragma once

#include <string>

#include "kinds/ddl/operator_act.hpp"
#include "kinds/kind/undoing.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// Undoes a step that `undo` describes: drops its index concurrently, then runs its statements in one
/// transaction with the note that the step is undone. Blocks until it has its locks. Throws Error.
void undo_by_statements(OperatorAct& act, const Job& job, const std::string& step, const RollbackAct& undo);

}  // namespace pgsluice::engine
