#pragma once

#include <cstddef>
#include <cstdio>
#include <string>
#include <vector>

namespace pgsluice::report {

/// Terminal rows that lines of these widths take on a terminal `columns` wide, which wraps them.
std::size_t rows_taken(const std::vector<std::size_t>& widths, std::size_t columns);

/// A block of lines at the bottom of a terminal, repainted in place. Hides the text cursor from the first
/// paint until leave() or the destructor. Not thread-safe. A process that is killed cannot restore the
/// cursor.
class Screen {
 public:
  explicit Screen(std::FILE* file) : file_(file) {}
  ~Screen() { leave(); }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  /// Replaces the block with `lines`. `above` is written above it and stays in the scrollback.
  void paint(const std::vector<std::string>& above, const std::vector<std::string>& lines,
             std::size_t columns);

  /// Leaves the block where it is and shows the cursor below it.
  void leave();

 private:
  void write(const std::string& bytes);

  std::FILE* const file_;
  bool painted_ = false;
  std::vector<std::size_t> widths_;  // of the lines of the block, in columns
};

}  // namespace pgsluice::report
