#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <string>

#include "kinds/copy/follow/drain.hpp"
#include "kinds/step_run/running_step.hpp"
#include "pgsluice/error.hpp"
#include "pgsluice/job.hpp"
#include "table/follow/follow_sql.hpp"

namespace pgsluice::engine {

/// COMMIT of the switch was sent, and the source has not said since whether it is committed.
class SwitchUnknown final : public Error {
  using Error::Error;
};

/// How a request to switch ended.
struct SwitchAnswer {
  bool is_switched = false;
  ExitCode code = ExitCode::kWorkLeft;  // kDone, kMismatch, or kWorkLeft: ask again later
  std::string words;
};

/// Whether the switch has been committed at the source, by this run or one that died after it: by `first`,
/// for all tables are switched in one transaction. Waits for a backend that is about to commit it. Blocks.
/// Throws SourceFailure.
bool is_switched_at_source(pg::Session& source, const FollowedSource& first);

/// Switches: compares both sides; then, in one transaction at the source that holds its writers, brings what
/// is left, compares again if that is quick enough, sets sequences, and refuses every later write. If that
/// takes longer than `pause`, or the program dies, the server rolls it back and the writers go on. Throws
/// SwitchUnknown; Error, Failure: then nothing is switched.
boost::asio::awaitable<SwitchAnswer> switch_over(RunningStep& step, Drain& drain, CopyStep copy,
                                                 std::chrono::milliseconds pause);

}  // namespace pgsluice::engine
