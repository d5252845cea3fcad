#include "report/live/screen.hpp"

#include <algorithm>

#include "report/text/clean_text.hpp"

namespace pgsluice::report {

namespace {

// ECMA-48 and DEC sequences that every terminal has understood for decades.
constexpr const char* kHideCursor = "\x1b[?25l";
constexpr const char* kShowCursor = "\x1b[?25h";
// Erases the whole line before it is written: if only its rest is erased, some terminals still wrap it at its
// old length when they become narrower.
constexpr const char* kEraseLine = "\x1b[2K";
constexpr const char* kEraseBelow = "\x1b[J";

std::string cursor_up(std::size_t rows) {
  return rows > 0 ? "\x1b[" + std::to_string(rows) + "A" : "";
}

}  // namespace

std::size_t rows_taken(const std::vector<std::size_t>& widths, std::size_t columns) {
  std::size_t rows = 0;
  for (const std::size_t width : widths) rows += std::max<std::size_t>(1, (width + columns - 1) / columns);
  return rows;
}

void Screen::paint(const std::vector<std::string>& above, const std::vector<std::string>& lines,
                   std::size_t columns) {
  std::string bytes = painted_ ? "\r" + cursor_up(rows_taken(widths_, columns)) : kHideCursor;
  for (const auto& line : above) bytes += kEraseLine + line + "\n";
  widths_.clear();
  for (const auto& line : lines) {
    bytes += kEraseLine + line + "\n";
    widths_.push_back(display_width(line));
  }
  write(bytes + kEraseBelow);
  painted_ = true;
}

void Screen::leave() {
  if (!painted_) return;
  write(kShowCursor);
  painted_ = false;
  widths_.clear();
}

void Screen::write(const std::string& bytes) {
  std::fwrite(bytes.data(), 1, bytes.size(), file_);
  std::fflush(file_);
}

}  // namespace pgsluice::report
