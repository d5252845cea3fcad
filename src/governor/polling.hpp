#pragma once

#include <chrono>

namespace pgsluice::governor {

/// Facts carry the time at which we read them, by our own clock: the server's clock may differ.
using TimePoint = std::chrono::steady_clock::time_point;

/// How often signals are read. Short compared with the smallest useful limit (1 s of lag, 200 ms of lock
/// wait), long compared with the cost of a reading (1 to 2 ms on a busy server).
inline constexpr std::chrono::milliseconds kPoll{250};

/// A sample older than three polls is worthless: one reading may be late, two missing ones mean a fault.
inline constexpr std::chrono::milliseconds kSampleAgeMax = 3 * kPoll;

inline double seconds_between(TimePoint from, TimePoint to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace pgsluice::governor
