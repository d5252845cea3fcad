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
  Gate gate;
  Stop stop;
  int in_work = 0;
  int most_in_work = 0;
  int batches = 0;
  asio::io_context io;  // goes first: lanes that still wait leave the gate
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

asio::awaitable<void> write_rows(Street& street) {
  auto turn = co_await street.gate.pass({}, kLanes, street.stop, Gate::TimePoint::max(), 1'000);
  ++street.batches;
  turn.worked(milliseconds{1}, turn.rows());
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

// What WAL moves is answered by room: 1 MB left below the limit, and batches that write 100 kB for 100 rows.
class Room : public ::testing::Test {
 protected:
  static constexpr double kRoom = 1'000'000;

  Room() {
    governor::Decision open;
    open.flow = governor::Flow::kGo;
    open.pace = open.speed = 1;
    street_.gate.decide(open, now());
    street_.gate.read_room(now(), governor::Lsn{1'000'000}, kRoom);
    teach();
  }

  static std::chrono::steady_clock::time_point now() { return std::chrono::steady_clock::now(); }

  asio::awaitable<void> batch(std::int64_t rows, milliseconds time) {
    auto turn = co_await street_.gate.pass({}, 1, street_.stop, Gate::TimePoint::max(), rows);
    granted_.push_back(turn.rows());
    co_await sleep_for(time);
    turn.worked(time, turn.rows());
  }
  void start(std::int64_t rows, milliseconds time = milliseconds{1}) {
    asio::co_spawn(street_.io, batch(rows, time), asio::detached);
  }
  /// Until all have ended, or none gets on.
  void run_for(milliseconds time) {
    street_.io.restart();
    street_.io.run_for(time);
  }
  void teach() {
    start(100);
    run_for(std::chrono::seconds{10});
    street_.gate.read_room(now(), governor::Lsn{1'100'000}, kRoom);
    granted_.clear();
  }

  Street street_;
  std::vector<std::int64_t> granted_;
};

TEST_F(Room, LetsThroughWhatFits) {
  for (int i = 0; i < 4; ++i) start(200);
  run_for(std::chrono::seconds{10});
  EXPECT_EQ(granted_, (std::vector<std::int64_t>{200, 200, 200, 200}));
}

TEST_F(Room, HoldsWhatWouldPassTheLimitUntilTheNextReading) {
  for (int i = 0; i < 6; ++i) start(200, milliseconds{20});
  run_for(milliseconds{200});
  EXPECT_EQ(granted_.size(), 5U);
  EXPECT_TRUE(street_.gate.is_waiting_for_room());
  EXPECT_GT(street_.gate.take_waited(now()), 0);
  street_.gate.read_room(now(), governor::Lsn{2'100'000}, kRoom);
  run_for(std::chrono::seconds{10});
  EXPECT_EQ(granted_.size(), 6U);
  EXPECT_FALSE(street_.gate.is_waiting_for_room());
}

TEST_F(Room, CutsABatchThatIsLargerThanTheRoom) {
  start(5'000);
  run_for(std::chrono::seconds{10});
  EXPECT_EQ(granted_, std::vector<std::int64_t>{1'000});
}

TEST_F(Room, LetsNothingThroughAtTheLimitButWhatOnlyReads) {
  street_.gate.read_room(now(), governor::Lsn{2'100'000}, -1);
  start(10);
  start(0);
  run_for(milliseconds{50});
  EXPECT_EQ(granted_, std::vector<std::int64_t>{0});
}

TEST_F(Room, CountsALaneThatWaitsAloneAsOneThatWaitsAllTheTime) {
  street_.gate.read_room(now(), governor::Lsn{2'100'000}, -1);
  start(10);
  run_for(milliseconds{1});
  street_.gate.take_waited(now());
  run_for(milliseconds{50});
  EXPECT_GT(street_.gate.take_waited(now()), 0.9);
}

TEST_F(Room, TakesABatchThatOnlyReadsForNoneInWork) {
  street_.gate.read_room(now(), governor::Lsn{1'100'000}, 20'000.0);
  start(0, milliseconds{100});
  start(5'000);
  run_for(milliseconds{50});
  EXPECT_EQ(granted_, (std::vector<std::int64_t>{0, governor::WalRoom::kRowsLeast}));
}

TEST_F(Room, CountsBatchesThatAreInWorkAtTheReading) {
  start(800, milliseconds{100});
  run_for(milliseconds{20});
  street_.gate.read_room(now(), governor::Lsn{1'100'000}, kRoom);
  start(800, milliseconds{100});
  run_for(milliseconds{20});
  EXPECT_EQ(granted_, std::vector<std::int64_t>{800});
}

TEST(Gate, LetsOneBatchTellWhatItsRowsWriteBeforeAnyOther) {
  Street street;
  governor::Decision open;
  open.flow = governor::Flow::kGo;
  open.pace = open.speed = 1;
  street.gate.decide(open, std::chrono::steady_clock::now());
  street.gate.read_room(std::chrono::steady_clock::now(), governor::Lsn{0}, 1'000'000.0);
  for (int i = 0; i < 2; ++i) asio::co_spawn(street.io, write_rows(street), asio::detached);
  street.io.run_for(milliseconds(50));
  EXPECT_EQ(street.batches, 1);
}

}  // namespace
}  // namespace pgsluice::engine
