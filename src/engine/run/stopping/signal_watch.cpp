#include "engine/run/stopping/signal_watch.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>

namespace pgsluice::engine {

namespace asio = boost::asio;

namespace {

/// A user who started us with nohup wants us to outlive the terminal.
bool is_ignored(int signal) {
  struct sigaction now {};
  return sigaction(signal, nullptr, &now) == 0 && now.sa_handler == SIG_IGN;
}

}  // namespace

void SignalWatch::heed() {
  signals_.add(SIGTERM);
  signals_.add(SIGINT);
  if (!is_ignored(SIGHUP)) signals_.add(SIGHUP);
}

asio::awaitable<void> SignalWatch::watch() {
  for (;;) {
    boost::system::error_code cancelled;
    co_await signals_.async_wait(asio::redirect_error(asio::use_awaitable, cancelled));
    if (cancelled) co_return;
    ++seen_;
    stop_.request(StopCause::kSignal, "a signal asked to stop");
    stop_.wakeup().notify();  // also for the second signal
    if (seen_ == 1) tell_();
  }
}

}  // namespace pgsluice::engine
