#pragma once

#include <vector>

#include "lanes/foretelling/sampled.hpp"

namespace pgsluice::engine {

/// Sums over the batches of one sort.
struct Sums {
  double batches = 0, visited = 0, changed = 0, hot = 0, seconds = 0, wal = 0, images = 0;
  std::vector<double> per_row{};  // seconds per changed row, of each batch
};

Sums sums_of(const Sampled& sampled, SampleKind kind, bool is_explained);

double median(std::vector<double> values);

/// Standard error of the mean, relative to it.
double relative_error(const std::vector<double>& values);

}  // namespace pgsluice::engine
