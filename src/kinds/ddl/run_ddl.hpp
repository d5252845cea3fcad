#pragma once

#include <string>
#include <vector>

#include "kinds/ddl/ddl.hpp"
#include "kinds/step_run/running_step.hpp"

namespace pgsluice::engine {

/// Runs statements and the note that they are done in one transaction, tried again with backoff until it gets
/// its locks. Throws Error: kFailed or kPrivileges if it fails for good, saying what remains nevertheless.
boost::asio::awaitable<void> run_ddl(RunningStep& step, std::vector<steps::DdlStatement> statements);

/// The same, where the recogniser decides about objects that are there already; it works on the connection's
/// thread. Throws what it throws, too.
boost::asio::awaitable<void> run_ddl(RunningStep& step, std::vector<steps::DdlStatement> statements,
                                     steps::Recogniser recogniser);

}  // namespace pgsluice::engine
