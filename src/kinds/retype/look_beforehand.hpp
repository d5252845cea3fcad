#pragma once

#include "kinds/step_run/running_step.hpp"

namespace pgsluice::engine {

/// Rehearses the retype, reads at the gate's pace what it could lose, and refuses it if either finds an
/// obstacle. Throws Error(kRefused).
boost::asio::awaitable<void> look_beforehand(RunningStep& step, RetypeStep retype);

}  // namespace pgsluice::engine
