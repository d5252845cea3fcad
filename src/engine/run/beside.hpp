#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <exception>

#include "telling/failure/first_failure.hpp"
#include "telling/stop.hpp"
#include "telling/wakeup.hpp"

namespace pgsluice::engine {

/// Owns the coroutines that run beside a run's story (its sequence of steps): none is lost, and a failure of
/// one ends the run. Confined to the io thread; what it is given outlives it.
class Beside {
 public:
  Beside(boost::asio::io_context& io, FirstFailure& failure, Stop& stop)
      : io_(io), run_failure_(failure), stop_(stop) {}

  /// `what` names it in words: "the sampler". finish() waits for it.
  void start(const char* what, boost::asio::awaitable<void> work);
  /// The same for work that may outlast finish().
  void watch(const char* what, boost::asio::awaitable<void> work);
  /// Waits until all that was started has ended, which it does by itself once the run is over.
  boost::asio::awaitable<void> finish();

  /// The first failure beside the story; nullptr if there is none.
  const std::exception_ptr& failure() const { return failure_; }

 private:
  void note(const char* what, const std::exception_ptr& error);

  boost::asio::io_context& io_;
  FirstFailure& run_failure_;
  Stop& stop_;
  int at_work_ = 0;
  Wakeup ended_;
  std::exception_ptr failure_;
};

}  // namespace pgsluice::engine
