#include "governor/signals/commit_wait.hpp"

#include "base/units.hpp"

namespace pgsluice::governor {

Sample commit_wait(double waited_s, TimePoint taken_at) {
  Sample sample{"commit_wait", waited_s, kCommitWaitMost, "s", true, taken_at, ""};
  const auto whole = std::chrono::seconds{static_cast<std::int64_t>(waited_s)};
  if (waited_s > kCommitWaitMost)
    sample.sentence = "COMMIT has been waiting for a synchronous standby for " + base::format_duration(whole);
  return sample;
}

}  // namespace pgsluice::governor
