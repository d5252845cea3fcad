#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pgsluice::bench {

/// What every program here takes.
struct Options {
  bool quick = false;  // fewer rows, fewer trials, smaller buffers
  bool list = false;
  bool help = false;
  std::vector<std::string> only;  // names of cases; empty: all
  std::optional<int> repeat;      // trials of each arm, instead of the case's own number
  std::uint64_t seed = 0;         // of the order of trials; drawn unless given
  std::string out;                // file for the tables; empty: standard output alone

  int trials(int full, int in_quick) const { return repeat.value_or(quick ? in_quick : full); }
  std::int64_t rows(std::int64_t full) const { return quick ? full / 10 : full; }
  bool is_wanted(const std::string& case_name) const;
};

/// The words of a command line, one flag after the other. Mistakes are std::invalid_argument.
class FlagReader {
 public:
  explicit FlagReader(std::vector<std::string> words) : words_(std::move(words)) {}

  /// Goes on to the next flag; false behind the last one.
  bool next();
  const std::string& flag() const { return words_.at(at_); }
  std::string value();
  /// A whole number from 1 on.
  std::uint64_t positive();
  [[noreturn]] void refuse() const;

 private:
  std::vector<std::string> words_;
  std::size_t at_ = 0;
  bool has_begun_ = false;
};

/// Takes the flag if it is one of Options, else returns false.
bool read_option(FlagReader& reader, Options& options);

/// Where nothing but Options is known. Throws std::invalid_argument with the mistake.
Options parse_options(const std::vector<std::string>& words);

}  // namespace pgsluice::bench
