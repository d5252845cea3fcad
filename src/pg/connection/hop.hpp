#pragma once

#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <optional>

namespace pgsluice::pg {

namespace asio = boost::asio;

namespace detail {

template <class Result>
struct HopState {
  std::function<Result()> work;
  std::optional<Result> result;
  std::exception_ptr error;

  void run() {
    try {
      result.emplace(work());
    } catch (...) {
      error = std::current_exception();
    }
    work = nullptr;  // destroys the captures on the thread that used them
  }
};

/// Runs the state's work on the pool and completes the coroutine on its own executor, whose context is kept
/// alive until then.
template <class Result>
struct HopInitiation {
  asio::thread_pool* pool;
  std::shared_ptr<HopState<Result>> state;

  template <class Handler>
  void operator()(Handler handler) const {
    auto home = asio::make_work_guard(asio::get_associated_executor(handler));
    asio::post(*pool, [state = state, home = std::move(home), handler = std::move(handler)]() mutable {
      state->run();
      asio::post(home.get_executor(), std::move(handler));
    });
  }
};

}  // namespace detail

/// One hop there and back: runs blocking `work` on the pool and resumes on the caller's executor with its
/// result or its exception. A named function with by-value parameters and no temporaries in the co_await,
/// because GCC 12 miscompiles other forms.
template <class Result>
asio::awaitable<Result> hop(asio::thread_pool& pool, std::function<Result()> work) {
  auto state = std::make_shared<detail::HopState<Result>>();
  state->work = std::move(work);
  detail::HopInitiation<Result> initiation{&pool, state};
  co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(initiation, asio::use_awaitable);
  if (state->error) std::rethrow_exception(state->error);
  co_return std::move(*state->result);
}

}  // namespace pgsluice::pg
