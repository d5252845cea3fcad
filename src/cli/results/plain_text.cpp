#include "cli/results/plain_text.hpp"

#include <algorithm>
#include <cstdio>

namespace pgsluice::cli {
namespace {

bool is_control(char c) {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F;
}

/// U+0080 to U+009F, which some terminals act on, are C2 80 to C2 9F in UTF-8.
bool is_high_control(char lead, char next) {
  const auto byte = static_cast<unsigned char>(next);
  return static_cast<unsigned char>(lead) == 0xC2 && byte >= 0x80 && byte <= 0x9F;
}

}  // namespace

std::string plain_line(std::string_view text) {
  std::string line(text);
  std::replace_if(line.begin(), line.end(), is_control, ' ');
  for (std::size_t i = 0; i + 1 < line.size(); ++i) {
    if (is_high_control(line[i], line[i + 1])) line[i] = line[i + 1] = ' ';
  }
  return line;
}

std::string plain_words(std::string_view text) {
  std::string words;
  for (const char c : plain_line(text)) {
    const bool is_blank = c == ' ' || c == '\t';
    if (is_blank && (words.empty() || words.back() == ' ')) continue;
    words += is_blank ? ' ' : c;
  }
  if (!words.empty() && words.back() == ' ') words.pop_back();
  return words;
}

std::vector<std::string> plain_lines(std::string_view text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at <= text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    lines.push_back(plain_line(text.substr(at, end - at)));
    at = end + 1;
  }
  const auto says_something = [](const std::string& line) {
    return line.find_first_not_of(" \t") != std::string::npos;
  };
  lines.erase(lines.begin(), std::find_if(lines.begin(), lines.end(), says_something));
  lines.erase(std::find_if(lines.rbegin(), lines.rend(), says_something).base(), lines.end());
  return lines;
}

std::size_t character_count(std::string_view text) {
  const auto starts = std::count_if(text.begin(), text.end(),
                                    [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
  return static_cast<std::size_t>(starts);
}

void print_line(std::string_view line) {
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fputc('\n', stdout);
}

}  // namespace pgsluice::cli
