#include "telling/wakeup.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace pgsluice::engine {

namespace asio = boost::asio;

namespace {

/// A coroutine that is destroyed while it waits also leaves the list.
struct Waiting {
  Waiting(std::set<asio::steady_timer*>& timers, asio::steady_timer& timer) : timers_(timers), timer_(timer) {
    timers_.insert(&timer_);
  }
  ~Waiting() { timers_.erase(&timer_); }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

  std::set<asio::steady_timer*>& timers_;
  asio::steady_timer& timer_;
};

}  // namespace

asio::awaitable<void> Wakeup::wait(std::chrono::milliseconds at_most) {
  asio::steady_timer timer(co_await asio::this_coro::executor, at_most);
  const Waiting waiting(waiting_, timer);
  boost::system::error_code notified;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, notified));
}

asio::awaitable<void> Wakeup::wait_for_either(Wakeup& one, Wakeup& other, std::chrono::milliseconds at_most) {
  asio::steady_timer timer(co_await asio::this_coro::executor, at_most);
  const Waiting for_one(one.waiting_, timer);
  const Waiting for_other(other.waiting_, timer);
  boost::system::error_code notified;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, notified));
}

void Wakeup::notify() {
  for (auto* timer : waiting_) timer->cancel();
}

asio::awaitable<void> Over::wait(std::chrono::milliseconds at_most) const {
  if (!is_set_) co_await wakeup_.wait(at_most);
}

}  // namespace pgsluice::engine
