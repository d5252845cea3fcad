#include "telling/stop.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace pgsluice::engine {

namespace asio = boost::asio;

asio::awaitable<void> sleep_for(std::chrono::milliseconds duration) {
  auto executor = co_await asio::this_coro::executor;
  asio::steady_timer timer(executor, duration);
  co_await timer.async_wait(asio::use_awaitable);
}

asio::awaitable<void> sleep_unless_stopped(std::chrono::milliseconds duration, const Stop& stop) {
  const auto end = std::chrono::steady_clock::now() + duration;
  while (!stop.is_requested()) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() <= 0) co_return;
    co_await stop.wakeup().wait(left);
  }
}

}  // namespace pgsluice::engine
