#pragma once

#include <string>

#include "kinds/step_run/running_step.hpp"

namespace pgsluice::engine {

/// Builds the index of CREATE INDEX CONCURRENTLY: waits for another session's build, drops an INVALID
/// leftover, and accepts an existing valid index if it matches the statement. Throws Error.
boost::asio::awaitable<void> run_index(RunningStep& step, std::string create_sql);

}  // namespace pgsluice::engine
