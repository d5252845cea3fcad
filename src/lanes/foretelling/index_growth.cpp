#include "lanes/foretelling/index_growth.hpp"

#include <algorithm>
#include <cmath>

namespace pgsluice::engine {
namespace {

constexpr double kPageBytes = 8'192;
constexpr double kLeafBytes = 8'192 - 24 - 16 - 40;  // without header, special space, high key
constexpr double kFreshFillMin = 0.86;  // a fuller leaf was built by a sort, and all leaves are alike
constexpr double kFreshFill = 0.9;      // the default fillfactor of a B-tree's leaves
constexpr int kSplitsMost = 6;          // of one leaf, one after the other: 64 leaves

/// Probability that a normal variable with this mean and spread exceeds 1.
double beyond_one(double mean, double spread) {
  if (spread <= 0) return mean > 1 ? 1 : 0;
  return 0.5 * std::erfc((1 - mean) / (spread * std::sqrt(2.0)));
}

double leaves_of(double mean, double spread, int splits) {
  const double overflow = beyond_one(mean, spread);
  if (overflow <= 0 || splits == 0) return 1;
  return (1 - overflow) + overflow * 2 * leaves_of(std::max(mean, 1.0) / 2, spread / 2, splits - 1);
}

}  // namespace

double leaves_after(double fill, double added, double entries) {
  const double spread = std::sqrt(std::max(0.0, added * fill * entries)) / std::max(1.0, entries);
  return leaves_of(fill * (1 + added), spread, kSplitsMost);
}

double index_growth(const IndexShape& index, double rows, double cluster_share, double sampled_rows) {
  if (rows <= 0 || index.bytes <= 0) return 0;
  const double measured = sampled_rows > 0 ? index.grown_bytes / sampled_rows * rows : 0;
  if (index.entries <= 0 || !index.is_btree) return measured > 0 ? measured : index.bytes * 0.5;
  const double each = index.bytes / index.entries;
  if (index.is_changed && measured > 0.5 * rows * each) return measured;  // new values lie close together
  const double entry = index.entry_bytes > 0 ? std::min(index.entry_bytes, each) : each * kFreshFill;
  const double fill =
      index.entry_bytes > each ? kFreshFill : std::min(1.0, entry / each * kPageBytes / kLeafBytes);
  // An index that has been split before has leaves of all fills: it grows with its entries.
  if (fill < kFreshFillMin) return rows * each;
  const double share = index.is_local && !index.is_changed ? std::clamp(cluster_share, 1e-6, 1.0) : 1.0;
  const double added = rows / index.entries / share;
  return index.bytes * share * (leaves_after(std::max(fill, kFreshFill), added, kLeafBytes / entry) - 1);
}

}  // namespace pgsluice::engine
