#include "lanes/foretelling/sample_sums.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace pgsluice::engine {

Sums sums_of(const Sampled& sampled, SampleKind kind, bool is_explained) {
  Sums sums;
  for (const auto& batch : sampled.batches) {
    if (batch.kind != kind || batch.is_explained != is_explained) continue;
    sums.batches += 1;
    sums.visited += static_cast<double>(batch.visited);
    sums.changed += static_cast<double>(batch.changed);
    sums.hot += static_cast<double>(batch.hot);
    sums.seconds += batch.seconds;
    sums.wal += batch.wal_bytes;
    sums.images += batch.page_images;
    if (batch.changed > 0) sums.per_row.push_back(batch.seconds / static_cast<double>(batch.changed));
  }
  return sums;
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double relative_error(const std::vector<double>& values) {
  if (values.size() < 2) return 1;
  const auto n = static_cast<double>(values.size());
  double sum = 0;
  for (const double v : values) sum += v;
  double squares = 0;
  for (const double v : values) squares += (v - sum / n) * (v - sum / n);
  return sum > 0 ? std::sqrt(squares / (n - 1) / n) / (sum / n) : 1;
}

}  // namespace pgsluice::engine
