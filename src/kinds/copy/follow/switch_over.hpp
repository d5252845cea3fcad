#pragma once

#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "kinds/copy/follow/drain.hpp"
#include "kinds/step_run/running_step.hpp"
#include "pgsluice/error.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// What a comparison of both sides found.
struct Compared {
  std::int64_t wrong = 0;  // rows missing or different at the target
  std::string words;       // "2 of 5,000 rows missing or different: …"
};

/// Of these keys, those that are in the queue.
using Queued = std::function<std::set<pg::Key>(const std::vector<pg::Key>& keys)>;

/// Compares both sides of a copy, on the session's thread; rows of queued keys do not count. Throws Error,
/// Failure.
using CompareSides = std::function<Compared(pg::Session& source, pg::Session& target, const CopyStep& step,
                                            const Queued& queued)>;

/// How a request to switch ended.
struct SwitchAnswer {
  bool is_switched = false;
  ExitCode code = ExitCode::kWorkLeft;  // kDone, kMismatch, or kWorkLeft: ask again later
  std::string words;
};

/// Whether the switch has been committed at the source, by this run or one that died after it. Waits for a
/// backend that is about to commit it. Blocks. Throws SourceFailure.
bool is_switched_at_source(pg::Session& source, const Following& following);

/// Switches: compares both sides; then, in one transaction at the source that holds its writers, brings what
/// is left, compares again if that is quick enough, sets sequences, and refuses every later write. If that
/// takes longer than `pause`, or the program dies, the server rolls it back and the writers go on. Throws
/// Error, Failure; then nothing is switched.
boost::asio::awaitable<SwitchAnswer> switch_over(RunningStep& step, Drain& drain, CopyStep copy,
                                                 std::chrono::milliseconds pause, CompareSides compare);

}  // namespace pgsluice::engine
