#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include "telling/journal.hpp"
#include "telling/stop.hpp"

namespace pgsluice::engine {

/// SIGTERM, SIGINT and SIGHUP, unless SIGHUP was ignored when the process began: each asks the run to stop.
/// Confined to the io thread; what it is given outlives it.
class SignalWatch {
 public:
  SignalWatch(boost::asio::io_context& io, Journal& journal, Stop& stop)
      : signals_(io), journal_(journal), stop_(stop) {}

  /// From now on the process does not die of them.
  void heed();
  /// Until leave().
  boost::asio::awaitable<void> watch();
  void leave() { signals_.cancel(); }

  /// How many have come: the second does not wait for what is in flight.
  int seen() const { return seen_; }

 private:
  boost::asio::signal_set signals_;
  Journal& journal_;
  Stop& stop_;
  int seen_ = 0;
};

}  // namespace pgsluice::engine
