#include <benchmark/benchmark.h>

#include "walk/keyset.hpp"

namespace pgsluice::walk {
namespace {

pg::Column column(const char* name, const char* type, const char* collation = "") {
  return {name, type, collation, true, false};
}

Keyset bigint_keyset() {
  return Keyset(R"("public"."users")", {column("id", R"("pg_catalog"."int8")")});
}

Keyset composite_keyset() {
  return Keyset(
      R"("shop"."Order Lines")",
      {column("tenant", R"("pg_catalog"."text")", R"( COLLATE "pg_catalog"."C")"),
       column("ordered_at", R"("pg_catalog"."timestamptz")"), column("line", R"("pg_catalog"."int4")")});
}

const pg::Key kLower{"acme", "2026-01-01 10:00:00+00", "17"};
const pg::Key kUpper{"acme", "2026-01-02 11:30:00+00", "3"};

void keyset_bound(benchmark::State& state) {
  const auto keyset = bigint_keyset();
  const pg::Key lower{"41000"}, upper{"9000000"};
  for (auto _ : state) benchmark::DoNotOptimize(keyset.bound(lower, upper, 10'000));
}
BENCHMARK(keyset_bound);

void keyset_bound_composite(benchmark::State& state) {
  const auto keyset = composite_keyset();
  for (auto _ : state) benchmark::DoNotOptimize(keyset.bound(kLower, kUpper, 10'000));
}
BENCHMARK(keyset_bound_composite);

void keyset_predicate(benchmark::State& state) {
  const auto keyset = bigint_keyset();
  const KeySlice slice{pg::Key{"41000"}, pg::Key{"51000"}, 0};
  for (auto _ : state) benchmark::DoNotOptimize(keyset.predicate(slice));
}
BENCHMARK(keyset_predicate);

/// range(0) columns are equal at both ends: 0 gives five pieces under an OR, 2 a plain range.
void keyset_predicate_composite(benchmark::State& state) {
  const auto keyset = composite_keyset();
  const KeySlice slice{kLower, kUpper, static_cast<int>(state.range(0))};
  for (auto _ : state) benchmark::DoNotOptimize(keyset.predicate(slice));
}
BENCHMARK(keyset_predicate_composite)->DenseRange(0, 2);

void keyset_read_bound(benchmark::State& state) {
  const auto keyset = bigint_keyset();
  const pg::Rows answer({{pg::Value{"51000"}, pg::Value{"f"}, pg::Value{"0"}}}, 1);
  for (auto _ : state) benchmark::DoNotOptimize(keyset.read_bound(answer));
}
BENCHMARK(keyset_read_bound);

}  // namespace
}  // namespace pgsluice::walk
