#pragma once

#include <string>

#include "kinds/running/running_step.hpp"

namespace pgsluice::engine {

/// Builds the index of CREATE INDEX CONCURRENTLY: waits for a build of others, drops an INVALID leftover, and
/// takes one that is there and valid for done if it is what the statement says. Throws Error.
boost::asio::awaitable<void> run_index(RunningStep& step, std::string create_sql);

}  // namespace pgsluice::engine
