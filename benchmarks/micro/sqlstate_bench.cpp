#include <benchmark/benchmark.h>

#include <array>

#include "pg/sqlstate.hpp"

namespace pgsluice::pg {
namespace {

/// First rule, last rule, no rule.
constexpr std::array<std::string_view, 3> kStates{"40001", "08006", "42703"};

void sqlstate_classify(benchmark::State& state) {
  auto sqlstate = kStates.at(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    benchmark::DoNotOptimize(sqlstate);
    benchmark::DoNotOptimize(classify(sqlstate));
  }
}
BENCHMARK(sqlstate_classify)->DenseRange(0, 2);

void sqlstate_is_row_fault(benchmark::State& state) {
  std::string_view sqlstate = "42703";
  for (auto _ : state) {
    benchmark::DoNotOptimize(sqlstate);
    benchmark::DoNotOptimize(is_row_fault(sqlstate));
  }
}
BENCHMARK(sqlstate_is_row_fault);

}  // namespace
}  // namespace pgsluice::pg
