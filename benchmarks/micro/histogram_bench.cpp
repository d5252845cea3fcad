#include <benchmark/benchmark.h>

#include "telling/tally.hpp"

namespace pgsluice::engine {
namespace {

void histogram_add(benchmark::State& state) {
  DurationHistogram histogram;
  std::chrono::nanoseconds duration{1'000'000};
  for (auto _ : state) {
    histogram.add(duration);
    duration = (duration * 5 + std::chrono::nanoseconds{7}) % std::chrono::nanoseconds{500'000'000};
  }
}
BENCHMARK(histogram_add);

void histogram_quantile(benchmark::State& state) {
  DurationHistogram histogram;
  for (int i = 1; i <= 1'000; ++i) histogram.add(std::chrono::microseconds{i * 300});
  for (auto _ : state) benchmark::DoNotOptimize(histogram.quantile(0.99));
}
BENCHMARK(histogram_quantile);

}  // namespace
}  // namespace pgsluice::engine
