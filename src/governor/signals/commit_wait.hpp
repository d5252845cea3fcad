#pragma once

#include "governor/signal.hpp"

namespace pgsluice::governor {

/// If a COMMIT waits longer for a standby, the standby is not just slow. Seconds.
constexpr double kCommitWaitMost = 1;

/// The signal `commit_wait`: how long one of our COMMITs has waited for a synchronous standby. Such a COMMIT
/// ends when the standby is back, however long that takes: until then nothing new is started. Pure.
Sample commit_wait(double waited_s, TimePoint taken_at);

}  // namespace pgsluice::governor
