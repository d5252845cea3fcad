#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pgsluice::bench {

struct Options {
  bool quick = false;  // a tenth of the rows, fewer trials, smaller buffers
  bool list = false;
  bool help = false;
  std::vector<std::string> only;  // names of cases; empty: all
  std::optional<int> repeat;      // trials of each arm, instead of the case's own number
  std::uint64_t seed = 0;         // of the order of trials; drawn unless given
  std::string out;                // file for the tables; empty: standard output alone

  int trials(int full, int in_quick) const { return repeat.value_or(quick ? in_quick : full); }
  std::int64_t rows(std::int64_t full) const { return quick ? full / 10 : full; }
};

extern const char* const kUsage;

/// Throws std::invalid_argument with the mistake.
Options parse_options(const std::vector<std::string>& words);

}  // namespace pgsluice::bench
