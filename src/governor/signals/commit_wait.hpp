#pragma once

#include "governor/signal.hpp"

namespace pgsluice::governor {

/// Longer, and a standby that a COMMIT waits for is not just slow. Seconds.
constexpr double kCommitWaitMost = 1;

/// The signal `commit_wait`: how long one of our COMMITs has waited for a synchronous standby. Such a COMMIT
/// ends when the standby is back, however long that takes: nothing new is begun meanwhile. Pure.
Sample commit_wait(double waited_s, TimePoint taken_at);

}  // namespace pgsluice::governor
