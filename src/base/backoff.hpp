#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <optional>

namespace pgsluice::base {

/// How long to wait before trying again: bounded exponential backoff with full jitter, so that lanes that
/// failed together do not retry together. A value; pure: the same seed and attempt give the same wait.
struct Backoff {
  static constexpr int kNoLimit = std::numeric_limits<int>::max();  // for waits limited by a deadline

  std::chrono::milliseconds base{10};    // the first wait is at most this
  std::chrono::milliseconds cap{5'000};  // no wait is longer
  int attempts_max = kNoLimit;           // attempts allowed in total
  std::uint64_t seed = 0;                // differs between lanes and runs

  /// Wait after failed attempt number `attempt` (from 1): uniform in 1 ms … min(cap, base × 2^(attempt-1)).
  /// nullopt: no attempt is left, give up.
  std::optional<std::chrono::milliseconds> next(int attempt) const;

  /// The same under a deadline: never waits past `left`, so that one last attempt is made at the deadline.
  /// nullopt also if no time is left.
  std::optional<std::chrono::milliseconds> next(int attempt, std::chrono::milliseconds left) const;
};

}  // namespace pgsluice::base
