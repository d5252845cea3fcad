#pragma once

#include "kinds/step_run/running_step.hpp"

namespace pgsluice::engine {

/// Runs the acts of a retype in order, up to "ready for cut-over"; then the cut-over if it is automatic,
/// otherwise requests a stop and waits for the operator. Throws Error.
boost::asio::awaitable<void> run_retype(RunningStep& step, RetypeStep retype);

}  // namespace pgsluice::engine
