#pragma once

#include <blockingconcurrentqueue.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <utility>
#include <vector>

namespace pgsluice::base {

/// Hands items from many producing threads to one consuming thread; the one home of
/// moodycamel::ConcurrentQueue.
///
/// Threads: push, push_droppable, wake, size and dropped are thread-safe and never wait. drain belongs to one
/// thread. Limits: the inner queue has none. Droppable items are refused while `capacity` items wait; others
/// are always accepted, so callers must push only a bounded number of those. Items of one thread keep their
/// order; between threads there is no order. Blocks of 32 items are allocated on demand and reused, but freed
/// only with the queue. The timed wait follows the system clock, so a clock that is set back can prolong it
/// until the next push. TSan: the library relies on fences and on an attribute that only clang honours; a g++
/// TSan build reports false races.
template <typename T>
class EventQueue {
 public:
  explicit EventQueue(std::size_t capacity) : capacity_(capacity) {}
  EventQueue(const EventQueue&) = delete;
  EventQueue& operator=(const EventQueue&) = delete;

  /// Always accepts. Throws std::bad_alloc if memory runs out; the item is then lost.
  void push(T item) {
    waiting_.fetch_add(1, std::memory_order_relaxed);
    enqueue(std::move(item));
  }

  /// If the queue is full, refuses the item and counts it. True if it was accepted.
  bool push_droppable(T item) {
    if (waiting_.fetch_add(1, std::memory_order_relaxed) >= capacity_) {
      waiting_.fetch_sub(1, std::memory_order_relaxed);
      dropped_.fetch_add(1, std::memory_order_relaxed);
      return false;
    }
    enqueue(std::move(item));
    return true;
  }

  /// Makes a waiting drain return at once, without an item.
  void wake() { queue_.enqueue(std::nullopt); }

  /// Appends the waiting items to `items`, at most kDrainMax, after waiting up to `patience` for the first
  /// one. Everything pushed before a wake() that this thread knows of is returned before 0 is.
  std::size_t drain(std::vector<T>& items, std::chrono::milliseconds patience) {
    const std::size_t taken = queue_.wait_dequeue_bulk_timed(slots_.begin(), slots_.size(), patience);
    std::size_t count = 0;
    for (std::size_t i = 0; i < taken; ++i) {
      if (!slots_[i]) continue;
      items.push_back(std::move(*slots_[i]));
      slots_[i].reset();
      ++count;
    }
    waiting_.fetch_sub(count, std::memory_order_relaxed);
    return count;
  }

  /// Items waiting; exact only while nobody pushes.
  std::size_t size() const { return waiting_.load(std::memory_order_relaxed); }

  /// Items refused so far.
  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

  static constexpr std::size_t kDrainMax = 64;  // items per drain: two blocks of the queue, a few tens of kB

 private:
  struct Traits : moodycamel::ConcurrentQueueDefaultTraits {
    // How often the wait loop spins before it sleeps. The consumer prints; its latency is not worth a busy
    // core.
    static constexpr int MAX_SEMA_SPINS = 0;
  };
  static constexpr std::size_t kReservedItems =
      1;  // rounded up to one block: nothing grows with the capacity

  void enqueue(T item) {
    if (queue_.enqueue(std::optional<T>(std::move(item)))) return;
    waiting_.fetch_sub(1, std::memory_order_relaxed);
    throw std::bad_alloc();
  }

  const std::size_t capacity_;
  std::atomic<std::size_t> waiting_{0};
  std::atomic<std::uint64_t> dropped_{0};
  moodycamel::BlockingConcurrentQueue<std::optional<T>, Traits> queue_{
      kReservedItems};                                                              // nullopt: only a wake-up
  std::vector<std::optional<T>> slots_ = std::vector<std::optional<T>>(kDrainMax);  // of the consumer
};

}  // namespace pgsluice::base
