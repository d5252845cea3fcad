#pragma once

#include <string>
#include <vector>

namespace pgsluice::bench {

/// A table as GitHub and a plain terminal both show it. REQUIRES: rows as wide as the header.
class MarkdownTable {
 public:
  explicit MarkdownTable(std::vector<std::string> header);
  void add(std::vector<std::string> row);
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;  // the header first
};

}  // namespace pgsluice::bench
