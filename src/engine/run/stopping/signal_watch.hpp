#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <functional>

#include "telling/stop.hpp"

namespace pgsluice::engine {

/// SIGTERM, SIGINT and SIGHUP, unless SIGHUP was ignored when the process began: each asks the run to stop.
/// Confined to the io thread; what it is given outlives it.
class SignalWatch {
 public:
  /// `tell` is called at the first of them.
  SignalWatch(boost::asio::io_context& io, Stop& stop, std::function<void()> tell)
      : signals_(io), stop_(stop), tell_(std::move(tell)) {}

  /// From now on they do not kill the process.
  void heed();
  /// Runs until leave().
  boost::asio::awaitable<void> watch();
  void leave() { signals_.cancel(); }

  /// How many were received: after the second, work in flight is not waited for.
  int seen() const { return seen_; }

 private:
  boost::asio::signal_set signals_;
  Stop& stop_;
  std::function<void()> tell_;
  int seen_ = 0;
};

}  // namespace pgsluice::engine
