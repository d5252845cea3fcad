#include "cli/results/table.hpp"

#include <algorithm>

#include "cli/results/plain_text.hpp"

namespace pgsluice::cli {
namespace {

constexpr const char* kGap = "  ";  // between two columns

std::vector<std::size_t> widths_of(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(rows.front().size(), 0);
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], character_count(row[i]));
  }
  return widths;
}

}  // namespace

Table::Table(std::vector<std::string> head, std::vector<std::size_t> right_aligned)
    : right_aligned_(std::move(right_aligned)) {
  add(std::move(head));
}

void Table::add(std::vector<std::string> cells) {
  for (auto& cell : cells) cell = plain_words(cell);
  if (!rows_.empty()) cells.resize(rows_.front().size());
  rows_.push_back(std::move(cells));
}

std::vector<std::string> Table::lines(const std::string& indent) const {
  const auto widths = widths_of(rows_);
  std::vector<std::string> lines;
  for (const auto& row : rows_) {
    std::string line = indent;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string fill(widths[i] - character_count(row[i]), ' ');
      const bool is_right =
          std::find(right_aligned_.begin(), right_aligned_.end(), i) != right_aligned_.end();
      line += (i == 0 ? "" : kGap) + (is_right ? fill + row[i] : row[i] + fill);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    lines.push_back(std::move(line));
  }
  return lines;
}

}  // namespace pgsluice::cli
