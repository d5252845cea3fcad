// Goal: who waits for a change goes on with it, and nobody waits for ever.

#include "telling/wakeup.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include "telling/stop.hpp"

namespace pgsluice::engine {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

// What no machine is too slow for: who waits for its end was not woken.
constexpr milliseconds kForEver{60'000};

class WakeupTest : public ::testing::Test {
 protected:
  asio::awaitable<void> wait(milliseconds at_most) {
    co_await wakeup_.wait(at_most);
    ++woken_;
  }
  asio::awaitable<void> notify() {
    wakeup_.notify();
    co_return;
  }
  void spawn(asio::awaitable<void> work) { asio::co_spawn(io_, std::move(work), asio::detached); }

  asio::io_context io_{1};
  Wakeup wakeup_;
  Over over_;
  Stop stop_;
  int woken_ = 0;
};

TEST_F(WakeupTest, WakesAllWhoWait) {
  spawn(wait(kForEver));
  spawn(wait(kForEver));
  spawn(notify());
  io_.run();
  EXPECT_EQ(woken_, 2);
}

TEST_F(WakeupTest, EndsAWaitThatNobodyEnds) {
  spawn(wait(milliseconds{1}));
  io_.run();
  EXPECT_EQ(woken_, 1);
}

TEST_F(WakeupTest, ForgetsAWaiterThatIsGone) {
  {
    asio::io_context other{1};
    asio::co_spawn(other, wait(kForEver), asio::detached);
    other.poll();
  }
  wakeup_.notify();
  EXPECT_EQ(woken_, 0);
}

TEST_F(WakeupTest, OverIsNoticedAtOnceAlsoByWhoComesLate) {
  over_.set();
  const auto began = std::chrono::steady_clock::now();
  spawn(over_.wait(kForEver));
  io_.run();
  EXPECT_LT(std::chrono::steady_clock::now() - began, kForEver);
}

TEST_F(WakeupTest, AStopEndsASleep) {
  spawn(sleep_unless_stopped(kForEver, stop_));
  io_.poll();
  const auto began = std::chrono::steady_clock::now();
  stop_.request(StopCause::kSignal, "a signal");
  io_.run();
  EXPECT_LT(std::chrono::steady_clock::now() - began, kForEver);
}

}  // namespace
}  // namespace pgsluice::engine
