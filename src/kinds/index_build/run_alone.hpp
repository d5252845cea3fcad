#pragma once

#include <string>

#include "kinds/step_run/running_step.hpp"

namespace pgsluice::engine {

/// A statement that runs outside a transaction, for as long as it needs.
struct AloneStatement {
  std::string sql;
  std::string lock;  // for the log
  int attempt = 1;
};

/// Runs it on `own`, a separate session. Returns when it is done, and also when it may be tried again: the
/// caller finds out which. Throws Error if it fails for good or somebody cancelled it.
boost::asio::awaitable<void> run_alone(RunningStep& step, pg::Connection& own, AloneStatement statement);

/// VACUUM or ANALYZE, as a separate step.
boost::asio::awaitable<void> run_vacuum(RunningStep& step, std::string sql);

}  // namespace pgsluice::engine
