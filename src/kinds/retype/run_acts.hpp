#pragma once

#include <vector>

#include "kinds/retype/acts/acts.hpp"
#include "kinds/running/running_step.hpp"

namespace pgsluice::engine {

/// An act and its record in the ledger.
struct OpenedAct {
  steps::retype::Act act;
  ledger::StepRecord record;
};

/// Runs them in order, each reported like a step; neighbouring fills run side by side. Throws Error.
boost::asio::awaitable<void> run_acts(RunningStep& step, std::vector<OpenedAct> acts);

/// The ledger's name for this kind of act.
const char* kind_name(steps::retype::Act::Kind kind);

}  // namespace pgsluice::engine
