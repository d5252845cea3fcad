#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <set>

namespace pgsluice::engine {

/// Wakes coroutines that wait for something to change, so that nobody has to poll. They have to find out what
/// has changed: a wait may end without cause. Confined to the io thread; outlives its waiters.
class Wakeup {
 public:
  Wakeup() = default;
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;

  /// Waits until notify(), but no longer than `at_most`.
  boost::asio::awaitable<void> wait(std::chrono::milliseconds at_most);
  /// The same, for the first of two to be notified.
  static boost::asio::awaitable<void> wait_for_either(Wakeup& one, Wakeup& other,
                                                      std::chrono::milliseconds at_most);
  void notify();

 private:
  std::set<boost::asio::steady_timer*> waiting_;
};

/// Marks the end of something that other coroutines work alongside: set once, and noticed at once. Confined
/// to the io thread.
class Over {
 public:
  void set() {
    is_set_ = true;
    wakeup_.notify();
  }
  bool is_set() const { return is_set_; }
  /// Waits until it is set, but no longer than `at_most`.
  boost::asio::awaitable<void> wait(std::chrono::milliseconds at_most) const;
  /// Notified when it is set.
  Wakeup& wakeup() const { return wakeup_; }

 private:
  bool is_set_ = false;
  mutable Wakeup wakeup_;
};

}  // namespace pgsluice::engine
