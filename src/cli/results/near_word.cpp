#include "cli/results/near_word.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace pgsluice::cli {
namespace {

/// Characters to insert, delete or replace, or neighbours to swap: one edit each. Keeps one row of the table
/// at a time.
std::size_t edits_between(const std::string& from, const std::string& to) {
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  std::vector<std::size_t> above = row;
  std::vector<std::size_t> two_above = row;
  for (std::size_t i = 1; i <= from.size(); ++i) {
    two_above = std::exchange(above, row);
    row[0] = i;
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const std::size_t replaced = above[j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
      const bool is_swapped = i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1];
      if (is_swapped) row[j] = std::min(row[j], two_above[j - 2] + 1);
    }
  }
  return row.back();
}

}  // namespace

std::string near_word(const std::string& word, const std::vector<std::string>& known) {
  std::size_t fewest = word.size() / 3 + 2;  // with more edits the guess would mislead
  std::string nearest;
  for (const auto& candidate : known) {
    const auto edits = edits_between(word, candidate);
    if (edits >= fewest) continue;
    fewest = edits;
    nearest = candidate;
  }
  return nearest;
}

}  // namespace pgsluice::cli
