#include <benchmark/benchmark.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "base/event_queue.hpp"
#include "pgsluice/event.hpp"

namespace pgsluice {
namespace {

constexpr std::size_t kCapacity = 65'536;  // as the reporter's

Event batch_event() {
  Event event;
  event.job = "onboarding-completed";
  event.run_id = "0f3c4a52-6a4e-4d52-9d38-0d6a1f6a8f11";
  event.body = event::Batch{42, 1, 10'000, 10'000, 0.1, 1};
  return event;
}

/// One thread pushes a burst and takes it out again: what an event costs without waiting.
void event_queue_there_and_back(benchmark::State& state) {
  base::EventQueue<Event> queue(kCapacity);
  const auto event = batch_event();
  std::vector<Event> taken;
  for (auto _ : state) {
    for (std::size_t i = 0; i < queue.kDrainMax; ++i) queue.push_droppable(event);
    taken.clear();
    while (queue.size() > 0) queue.drain(taken, std::chrono::milliseconds{0});
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(queue.kDrainMax));
}
BENCHMARK(event_queue_there_and_back);

/// The producer's side alone, while the consumer's thread drains as the reporter does. `dropped` says how
/// often it could not keep up.
void event_queue_push_beside_a_reader(benchmark::State& state) {
  base::EventQueue<Event> queue(kCapacity);
  std::atomic<bool> is_over{false};
  std::thread reader([&] {
    std::vector<Event> taken;
    while (!is_over) {
      queue.drain(taken, std::chrono::milliseconds{50});
      taken.clear();
    }
  });
  const auto event = batch_event();
  for (auto _ : state) benchmark::DoNotOptimize(queue.push_droppable(event));
  is_over = true;
  queue.wake();
  reader.join();
  state.SetItemsProcessed(state.iterations());
  state.counters["dropped"] =
      benchmark::Counter(static_cast<double>(queue.dropped()), benchmark::Counter::kAvgIterations);
}
BENCHMARK(event_queue_push_beside_a_reader)->UseRealTime();

/// The reporter cannot keep up: a lane must not notice.
void event_queue_push_when_full(benchmark::State& state) {
  base::EventQueue<int> queue(1);
  queue.push(0);
  for (auto _ : state) benchmark::DoNotOptimize(queue.push_droppable(1));
}
BENCHMARK(event_queue_push_when_full);

}  // namespace
}  // namespace pgsluice
