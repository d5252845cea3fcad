#include "bench/measure/trial_result.hpp"

#include <algorithm>

namespace pgsluice::bench {

void add_costs(std::int64_t heap_grown, std::int64_t index_grown, std::optional<double> cpu_s,
               TrialResult& result) {
  if (result.rows_changed <= 0) return;
  const auto rows = static_cast<double>(result.rows_changed);
  // Less than before: vacuum returned pages during the trial, which is not our doing.
  result.heap_bytes_per_row = static_cast<double>(std::max<std::int64_t>(0, heap_grown)) / rows;
  result.index_bytes_per_row = static_cast<double>(std::max<std::int64_t>(0, index_grown)) / rows;
  if (cpu_s) result.cpu_us_per_row = 1e6 * *cpu_s / rows;
}

}  // namespace pgsluice::bench
