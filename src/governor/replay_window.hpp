#pragma once

#include <chrono>
#include <deque>

#include "governor/lsn.hpp"
#include "governor/polling.hpp"

namespace pgsluice::governor {

/// How much WAL a replica may have waiting for it, so that its lag in time stays below a limit: what it
/// replays within that time, by the rate that it has shown. As TCP does with its window, without a model of
/// disks and cores. Pure and externally synchronised; memory is bounded by kOver.
class ReplayWindow {
 public:
  /// The rate is a mean over about this long: one slow flush of the replica's disk must not look like a slow
  /// replica, and it is as short as the smallest useful limit.
  static constexpr std::chrono::milliseconds kOver{1'000};
  /// Less than this behind, a replica may have been idle; and no window is smaller, or nothing would ever
  /// show what a replica can do that was found standing still.
  static constexpr double kBusyBytes = 256.0 * 1024;
  /// Of the limit. The clock overstates a lag by up to one poll, and the rest is for a replica that slows
  /// down.
  static constexpr double kShare = 0.75;
  /// A replica that lags by less than this share of the limit keeps up: it may be able to do more than it has
  /// shown. Its window is so much larger than what it has shown, and grows by a share of itself each second.
  static constexpr double kKeepsUp = 0.25;
  static constexpr double kGrows = 1.3;
  static constexpr double kGrowsEachSecond = 0.2;
  /// But never beyond this much of what it has shown: it may become slow at any time.
  static constexpr double kMost = 2;
  /// Of a replica that has shown nothing yet: with a reading each 50 ms enough for 160 MB/s.
  static constexpr double kStartBytes = 8.0 * 1024 * 1024;

  /// `behind`: bytes that were flushed and that it had yet to replay. A position that went back starts anew.
  void observe(TimePoint at, Lsn replay, double behind, double limit_s);

  double bytes() const { return bytes_; }

 private:
  struct Mark {
    TimePoint at;
    Lsn replay;
    bool is_busy;
  };

  double rate_since(std::size_t first) const;
  /// The first of the marks since which it was busy all the time.
  std::size_t first_busy() const;

  std::deque<Mark> marks_;
  double bytes_ = kStartBytes;
};

}  // namespace pgsluice::governor
