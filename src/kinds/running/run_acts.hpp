#pragma once

#include <vector>

#include "kinds/running/act.hpp"
#include "kinds/running/running_step.hpp"

namespace pgsluice::engine {

/// An act and its record in the ledger.
struct OpenedAct {
  Act act;
  ledger::StepRecord record;
};

/// Runs them in order, each reported like a step; neighbouring fills run side by side. Throws Error.
boost::asio::awaitable<void> run_acts(RunningStep& step, std::vector<OpenedAct> acts);

/// What the ledger calls the kind of such an act.
const char* kind_name(Act::Kind kind);

}  // namespace pgsluice::engine
