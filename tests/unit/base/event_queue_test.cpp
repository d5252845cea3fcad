// Goal: the event queue loses nothing that must arrive, refuses and counts what may be lost, and keeps each
// thread's order. Method: real threads, small capacities, no sleeps: drain waits with a deadline.
#include "base/event_queue.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace pgsluice::base {
namespace {

using namespace std::chrono_literals;

constexpr auto kDeadline = 10s;  // far beyond what a loaded machine needs

template <typename T>
std::vector<T> drain_all(EventQueue<T>& queue) {
  std::vector<T> items;
  while (queue.drain(items, 0ms) > 0) {
  }
  return items;
}

TEST(EventQueue, DropsOnlyDroppablesAndCountsThem) {
  EventQueue<std::string> queue(2);
  EXPECT_TRUE(queue.push_droppable("a"));
  EXPECT_TRUE(queue.push_droppable("b"));
  EXPECT_FALSE(queue.push_droppable("c"));
  queue.push("must arrive");
  EXPECT_FALSE(queue.push_droppable("d"));
  EXPECT_EQ(queue.dropped(), 2U);
  EXPECT_EQ(drain_all(queue), (std::vector<std::string>{"a", "b", "must arrive"}));
}

TEST(EventQueue, TakesDroppablesAgainOnceDrained) {
  EventQueue<int> queue(1);
  queue.push(1);
  EXPECT_FALSE(queue.push_droppable(2));
  EXPECT_EQ(drain_all(queue), std::vector<int>{1});
  EXPECT_EQ(queue.size(), 0U);
  EXPECT_TRUE(queue.push_droppable(3));
}

TEST(EventQueue, DrainReturnsEmptyHandedWhenPatienceEnds) {
  EventQueue<int> queue(1);
  std::vector<int> items;
  EXPECT_EQ(queue.drain(items, 1ms), 0U);
  EXPECT_TRUE(items.empty());
}

TEST(EventQueue, WakeEndsAWaitWithoutAnItem) {
  EventQueue<int> queue(1);
  std::thread waker([&queue] { queue.wake(); });
  std::vector<int> items;
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(queue.drain(items, kDeadline), 0U);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, kDeadline);
  waker.join();
}

TEST(EventQueue, HandsOverWhatWasPushedBeforeAWake) {
  EventQueue<int> queue(1);
  std::thread producer([&queue] { queue.push(7); });
  producer.join();
  queue.wake();
  std::vector<int> items;
  EXPECT_EQ(queue.drain(items, kDeadline), 1U);
  EXPECT_EQ(items, std::vector<int>{7});
}

TEST(EventQueue, TakesItemsThatOnlyMove) {
  EventQueue<std::unique_ptr<int>> queue(1);
  queue.push(std::make_unique<int>(5));
  const auto items = drain_all(queue);
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(*items.front(), 5);
}

TEST(EventQueue, ReleasesItemsThatWereNeverDrained) {
  const auto item = std::make_shared<int>(1);
  {
    EventQueue<std::shared_ptr<int>> queue(8);
    queue.push(item);
    EXPECT_EQ(item.use_count(), 2);
  }
  EXPECT_EQ(item.use_count(), 1);
}

TEST(EventQueue, KeepsEveryItemAndTheOrderOfEachThread) {
  constexpr int kThreads = 4;
  constexpr int kEach = 5'000;
  EventQueue<std::pair<int, int>> queue(1);
  std::vector<std::thread> producers;
  for (int thread = 0; thread < kThreads; ++thread) {
    producers.emplace_back([&queue, thread] {
      for (int i = 0; i < kEach; ++i) queue.push({thread, i});
    });
  }
  std::vector<int> next(kThreads, 0);
  int seen = 0;
  while (seen < kThreads * kEach) {
    std::vector<std::pair<int, int>> items;
    ASSERT_GT(queue.drain(items, kDeadline), 0U);
    for (const auto& [thread, number] : items) {
      EXPECT_EQ(number, next[static_cast<std::size_t>(thread)]++);
      ++seen;
    }
  }
  for (auto& producer : producers) producer.join();
  EXPECT_EQ(queue.size(), 0U);
}

TEST(EventQueue, AcceptedAndDroppedAddUpUnderContention) {
  constexpr int kThreads = 4;
  constexpr std::size_t kEach = 2'000;
  EventQueue<int> queue(100);
  std::atomic<std::size_t> accepted{0};
  std::vector<std::thread> producers;
  for (int thread = 0; thread < kThreads; ++thread) {
    producers.emplace_back([&] {
      for (std::size_t i = 0; i < kEach; ++i) accepted += queue.push_droppable(1) ? 1U : 0U;
    });
  }
  for (auto& producer : producers) producer.join();
  EXPECT_LE(accepted, 100U);
  EXPECT_EQ(accepted + queue.dropped(), kThreads * kEach);
  EXPECT_EQ(drain_all(queue).size(), accepted);
}

}  // namespace
}  // namespace pgsluice::base
