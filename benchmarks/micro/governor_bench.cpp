#include <benchmark/benchmark.h>

#include "governor/lsn_clock.hpp"
#include "governor/pace.hpp"

namespace pgsluice::governor {
namespace {

/// range(0) samples, all well below their limits but the last, which is over it: every poll moves the pace.
std::vector<Sample> samples(std::int64_t count, TimePoint now) {
  std::vector<Sample> all;
  for (std::int64_t i = 0; i < count; ++i) {
    all.push_back(
        {"replica_lag", i + 1 == count ? 2.4 : 0.2, 2.0, "s", true, now, "on replica" + std::to_string(i)});
  }
  return all;
}

void governor_decide(benchmark::State& state) {
  const TimePoint start{};
  const auto all = samples(state.range(0), start);
  PaceState pace;
  for (auto _ : state) {
    auto decision = decide(all, pace, start);
    benchmark::DoNotOptimize(decision);
    pace = decision.next;
  }
}
BENCHMARK(governor_decide)->Arg(1)->Arg(3)->Arg(16);

/// A clock that has run for range(0) hours at one mark a poll and 50 MB/s.
LsnClock clock_after(std::int64_t hours, TimePoint& now) {
  LsnClock clock;
  Lsn flush = 0;
  const auto polls = std::chrono::hours{hours} / kPoll;
  for (std::int64_t i = 0; i < polls; ++i) {
    clock.record(now, flush);
    now += kPoll;
    flush += 50'000'000 / 4;
  }
  return clock;
}

void lsn_clock_record(benchmark::State& state) {
  TimePoint now{};
  auto clock = clock_after(state.range(0), now);
  Lsn flush = 1ULL << 60;
  for (auto _ : state) {
    clock.record(now, flush);
    now += kPoll;
    flush += 1'000;
  }
  state.counters["marks"] = static_cast<double>(clock.mark_count());
}
BENCHMARK(lsn_clock_record)->Arg(1)->Arg(24);

void lsn_clock_lag_of(benchmark::State& state) {
  TimePoint now{};
  const auto clock = clock_after(state.range(0), now);
  const Lsn replay = 50'000'000ULL * 3'000;
  for (auto _ : state) benchmark::DoNotOptimize(clock.lag_of(replay, now));
}
BENCHMARK(lsn_clock_lag_of)->Arg(1)->Arg(24);

}  // namespace
}  // namespace pgsluice::governor
