#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "pg/connection/session.hpp"
#include "pgsluice/error.hpp"
#include "pgsluice/event.hpp"

namespace pgsluice::engine {

/// Who asks, and how long writers may wait.
struct SwitchWish {
  std::chrono::milliseconds pause{0};
  std::string actor;
};

/// Asks the live run that follows a copy of this job to switch, and waits for its answer, which it tells.
/// Blocks. Throws Error(kRefused) if nothing follows or no run is live, Error(kFailed) if the run ends
/// without an answer.
ExitCode ask_switch(pg::Session& session, const std::string& job, const SwitchWish& wish,
                    const std::function<void(EventBody)>& tell);

/// What to do after a switch that was answered with this code.
const char* hint_after_switch(ExitCode code);

/// What a switch will do, in words; empty: nothing follows.
std::vector<std::string> switch_notice(pg::Session& session, const std::string& job);

}  // namespace pgsluice::engine
