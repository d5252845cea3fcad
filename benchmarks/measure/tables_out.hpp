#pragma once

#include <fstream>
#include <string>

namespace pgsluice::bench {

/// Writes sections to standard output, and to a file where one is named. A section is out before the next
/// case begins, so that a case that fails loses no other.
class TablesOut {
 public:
  /// Throws std::runtime_error when the file cannot be written. Empty: no file.
  explicit TablesOut(const std::string& path);
  void write(const std::string& section);

 private:
  std::ofstream file_;
};

}  // namespace pgsluice::bench
