// Goal: beside others lanes pass the gate one after the other, also when a batch takes long or never runs.
// Method: coroutines on an io_context as lanes, whose batches are waits; no server.
#include "lanes/throttle/gate.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

namespace pgsluice::engine {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;

constexpr int kLanes = 3;

struct Street {
  asio::io_context io;
  Gate gate;
  Stop stop;
  int in_work = 0;
  int most_in_work = 0;
  int batches = 0;
};

governor::Decision beside_others(double share) {
  governor::Decision decision;
  decision.flow = governor::Flow::kSlow;
  decision.pace = share / kLanes;
  decision.is_beside_others = true;
  return decision;
}

asio::awaitable<void> work(Street& street, int batches, milliseconds time) {
  for (int i = 0; i < batches; ++i) {
    auto turn = co_await street.gate.pass(time, kLanes, street.stop);
    street.most_in_work = std::max(street.most_in_work, ++street.in_work);
    co_await sleep_for(time);
    turn.worked(time);
    --street.in_work;
    ++street.batches;
  }
}

/// A lane that is told to end once it may start.
asio::awaitable<void> leave(Street& street) {
  co_await street.gate.pass({}, kLanes, street.stop);
}

void run(Street& street, double share) {
  street.gate.decide(beside_others(share), std::chrono::steady_clock::now());
  asio::co_spawn(street.io, leave(street), asio::detached);
  asio::co_spawn(street.io, work(street, 3, milliseconds(40)),
                 asio::detached);  // longer than kTargetBesideOthers
  asio::co_spawn(street.io, work(street, 6, milliseconds(4)), asio::detached);
  asio::co_spawn(street.io, work(street, 6, milliseconds(4)), asio::detached);
  street.io.run_for(std::chrono::seconds{10});
}

TEST(Gate, LetsOneLaneThroughAfterTheOtherBesideOthers) {
  Street street;
  run(street, 0.8);
  EXPECT_EQ(street.batches, 15) << "a lane that left without a batch gave its turn back";
  EXPECT_EQ(street.most_in_work, 1);
}

TEST(Gate, LetsAsManyThroughAsThereIsTimeFor) {
  Street street;
  run(street, 2);
  EXPECT_EQ(street.batches, 15);
  EXPECT_EQ(street.most_in_work, 2);
}

/// Waits for a turn that does not come.
asio::awaitable<void> lose_patience(Street& street) {
  co_await street.gate.pass({}, kLanes, street.stop, std::chrono::steady_clock::now() + milliseconds{30});
  ++street.batches;
}

TEST(Gate, IsPassedWithoutATurnByWhoeverCanNotWait) {
  Street street;  // nothing was decided: it holds
  asio::co_spawn(street.io, lose_patience(street), asio::detached);
  street.io.run_for(std::chrono::seconds{10});
  EXPECT_TRUE(street.io.stopped());
  EXPECT_EQ(street.batches, 1);
}

TEST(Gate, IsLeftAtOnceByAStop) {
  Street street;  // nothing was decided: it holds
  asio::co_spawn(street.io, leave(street), asio::detached);
  street.io.run_for(milliseconds(50));
  EXPECT_FALSE(street.io.stopped());
  street.stop.request(StopCause::kSignal, "a signal asked to stop");
  street.io.run_for(std::chrono::seconds{10});
  EXPECT_TRUE(street.io.stopped());
}

}  // namespace
}  // namespace pgsluice::engine
