#pragma once

#include <vector>

#include "kinds/acts/act.hpp"
#include "kinds/step_run/running_step.hpp"

namespace pgsluice::engine {

/// An act and its record in the ledger.
struct OpenedAct {
  Act act;
  ledger::StepRecord record;
};

/// Writes the acts below their step, as "STEP: what it does", or finds them there. Commits by itself. Throws
/// Failure.
std::vector<OpenedAct> open_acts(pg::Session& session, const std::string& step, std::int64_t step_id,
                                 std::vector<Act> acts);

/// Runs them in order, each reported like a step; neighbouring fills run side by side. Throws Error.
boost::asio::awaitable<void> run_acts(RunningStep& step, std::vector<OpenedAct> acts);

}  // namespace pgsluice::engine
