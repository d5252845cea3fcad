#include <benchmark/benchmark.h>

#include "walk/batch_size/bisection.hpp"
#include "walk/batch_size/sizer.hpp"

namespace pgsluice::walk {
namespace {

/// A table whose rows cost 10 µs each: the size settles, and from then on a batch costs one record().
void sizer_record(benchmark::State& state) {
  Sizer sizer(BatchLimits{});
  for (auto _ : state) {
    const auto rows = sizer.rows();
    benchmark::DoNotOptimize(sizer.record(rows, rows, std::chrono::microseconds{10 * rows}));
  }
}
BENCHMARK(sizer_record);

/// Rows cost 5 µs and 20 µs in turn, each for ten batches: the size never settles.
void sizer_record_restless(benchmark::State& state) {
  Sizer sizer(BatchLimits{});
  std::int64_t batch = 0;
  for (auto _ : state) {
    const auto rows = sizer.rows();
    const std::int64_t cost = ++batch / 10 % 2 == 0 ? 5 : 20;
    benchmark::DoNotOptimize(sizer.record(rows, rows, std::chrono::microseconds{cost * rows}));
  }
}
BENCHMARK(sizer_record_restless);

/// Finds one faulty row among range(0); `batches` is what a server would have to run for it.
void bisection_search(benchmark::State& state) {
  const std::int64_t rows = state.range(0);
  const std::int64_t faulty = rows * 2 / 3;
  std::int64_t batches = 0;
  for (auto _ : state) {
    Bisection bisection;
    std::int64_t position = 0;
    for (bool is_found = false; !is_found; ++batches) {
      const auto take = bisection.rows(rows);
      if (position + take > faulty) {
        is_found = bisection.on_fault(take) == Bisection::Verdict::kSingleRow;
      } else {
        position += take;
        bisection.on_committed(take);
      }
    }
  }
  state.counters["batches"] =
      benchmark::Counter(static_cast<double>(batches), benchmark::Counter::kAvgIterations);
}
BENCHMARK(bisection_search)->Arg(1'000)->Arg(50'000);

}  // namespace
}  // namespace pgsluice::walk
