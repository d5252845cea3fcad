#pragma once

#include <chrono>
#include <exception>
#include <string>
#include <thread>
#include <vector>

#include "support/db.hpp"

namespace pgsluice::bench {

/// Somebody held or awaited ACCESS EXCLUSIVE, behind whom all others queue: from the last look that saw
/// nothing to the next one that did so. At most as long in truth.
struct LockedOut {
  std::chrono::system_clock::time_point from, to;

  double ms() const { return std::chrono::duration<double, std::milli>(to - from).count(); }
};

/// Looks at the locks on some relations, again and again, in a thread and a session of its own. What is
/// shorter than two looks may pass unseen.
class LockWatch {
 public:
  /// Relations of schema public, by name.
  LockWatch(const std::string& dsn, const std::vector<std::string>& relations);

  /// Ends the watch: what was seen, in order. Throws what went wrong with it.
  std::vector<LockedOut> stop();

  /// Milliseconds between two looks, on average.
  double interval_ms() const { return interval_ms_; }

 private:
  void watch(const std::stop_token& stop);

  test::Db db_;
  std::string look_;
  std::vector<LockedOut> seen_;
  double interval_ms_ = 0;
  std::exception_ptr error_;
  std::jthread thread_;  // last: it uses the others
};

}  // namespace pgsluice::bench
