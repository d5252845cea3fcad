#include <benchmark/benchmark.h>

#include "pg/key.hpp"

namespace pgsluice::pg {
namespace {

/// A bigint; three columns with a text that needs escapes; a text of 1 kB.
Key key_of_kind(std::int64_t kind) {
  if (kind == 0) return {"9223372036854775807"};
  if (kind == 1) return {R"(O'Neil "the \ slash")", "2026-01-01 10:00:00+00", "17"};
  return {std::string(1'024, 'x')};
}

void position_to_array(benchmark::State& state) {
  const auto key = key_of_kind(state.range(0));
  for (auto _ : state) benchmark::DoNotOptimize(to_array(key));
}
BENCHMARK(position_to_array)->DenseRange(0, 2);

void position_from_array(benchmark::State& state) {
  const auto text = to_array(key_of_kind(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(from_array(text));
}
BENCHMARK(position_from_array)->DenseRange(0, 2);

}  // namespace
}  // namespace pgsluice::pg
