#pragma once

#include <string>
#include <vector>

#include "kinds/ddl/ddl.hpp"
#include "kinds/running/running_step.hpp"

namespace pgsluice::engine {

/// Runs statements and the note that they are done in one transaction, again with backoff until it has its
/// locks. Throws Error: kFailed or kPrivileges for what fails for good, with what stands nevertheless.
boost::asio::awaitable<void> run_ddl(RunningStep& step, std::vector<steps::DdlStatement> statements);

}  // namespace pgsluice::engine
