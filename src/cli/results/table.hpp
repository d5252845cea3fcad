#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace pgsluice::cli {

/// Cells in aligned columns, with the first row as the head. Cells are made plain. A value, used by its owner
/// only.
class Table {
 public:
  /// `right_aligned`: columns of numbers, counted from 0.
  Table(std::vector<std::string> head, std::vector<std::size_t> right_aligned);

  /// As many cells as the head has.
  void add(std::vector<std::string> cells);

  /// Each row as a line after `indent`, without trailing blanks.
  std::vector<std::string> lines(const std::string& indent) const;

 private:
  std::vector<std::vector<std::string>> rows_;
  std::vector<std::size_t> right_aligned_;
};

}  // namespace pgsluice::cli
