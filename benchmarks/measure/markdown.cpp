#include "measure/markdown.hpp"

#include <algorithm>

namespace pgsluice::bench {
namespace {

/// Characters, not bytes: UTF-8 continuation bytes take no place.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

MarkdownTable::MarkdownTable(std::vector<std::string> header) : rows_{std::move(header)} {}

void MarkdownTable::add(std::vector<std::string> row) {
  rows_.push_back(std::move(row));
}

std::string MarkdownTable::text() const {
  std::vector<std::size_t> widths(rows_.front().size());
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], width(row.at(i)));
  }
  std::string out;
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < widths.size(); ++i) {
      out += "| " + row[i] + std::string(widths[i] - width(row[i]) + 1, ' ');
    }
    out += "|\n";
    if (&row != &rows_.front()) continue;
    for (const auto w : widths) out += "|" + std::string(w + 2, '-');
    out += "|\n";
  }
  return out;
}

}  // namespace pgsluice::bench
