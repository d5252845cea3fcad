#pragma once

#include "cli/arguments.hpp"
#include "pgsluice/engine.hpp"

namespace pgsluice::cli {

/// Before a run or a rollback in an environment that asks first: does what `check` does, tells its warnings
/// as events, and throws Error(kRefused) for those that stop it (stopping_warnings). Refusals are left to the
/// run, which finds them too. Elsewhere it does nothing.
void require_clean_check(Engine& engine, const Job& job, const Arguments& arguments, EventSink& sink);

}  // namespace pgsluice::cli
