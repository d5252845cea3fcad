#pragma once

#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <chrono>
#include <string>

#include "telling/wakeup.hpp"

namespace pgsluice::engine {

/// Why a run takes no new batch.
enum class StopCause {
  kNone,
  kSignal,           // SIGTERM, SIGINT
  kDuration,         // --for
  kUntil,            // --until
  kWindow,           // outside [window]
  kHeldTooLong,      // throttle.give_up
  kPaused,           // by an operator, for longer than throttle.give_up
  kCancelled,        // by an operator
  kReadyForCutover,  // a retype waits for the operator's cutover
  kFailed,           // an error ends the run
};

/// Tells the run to drain. The first cause stands, except that an error outweighs all others. Confined to the
/// io thread, but for is_requested().
class Stop {
 public:
  void request(StopCause cause, const std::string& reason) {
    if (cause_ != StopCause::kNone && cause != StopCause::kFailed) return;
    cause_ = cause;
    reason_ = reason;
    is_requested_ = true;
    wakeup_.notify();
  }
  /// From any thread: a blocking act looks between two attempts.
  bool is_requested() const { return is_requested_; }
  StopCause cause() const { return cause_; }
  const std::string& reason() const { return reason_; }

  /// Notified with every request.
  Wakeup& wakeup() const { return wakeup_; }

 private:
  mutable Wakeup wakeup_;
  std::atomic<bool> is_requested_{false};
  StopCause cause_ = StopCause::kNone;
  std::string reason_;
};

/// Waits, but at most until `stop` is requested.
boost::asio::awaitable<void> sleep_unless_stopped(std::chrono::milliseconds duration, const Stop& stop);

/// Waits.
boost::asio::awaitable<void> sleep_for(std::chrono::milliseconds duration);

}  // namespace pgsluice::engine
