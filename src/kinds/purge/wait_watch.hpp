#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <string>

#include "kinds/step_run/running_step.hpp"

namespace pgsluice::engine {

/// Runs `story`, whose statements on `own` may wait for other sessions as long as these like. Meanwhile the
/// display and the event log name those sessions (`what`: who waits, in words), throttle.give_up bounds the
/// wait, and a stop cancels the statement in flight at once. Throws what the story throws. REQUIRES: story
/// outlives it.
boost::asio::awaitable<void> run_watched(RunningStep& step, pg::Connection& own, std::string what,
                                         const Story& story);

}  // namespace pgsluice::engine
