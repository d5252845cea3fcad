#include "report/text/clean_text.hpp"

#include <algorithm>
#include <array>

namespace pgsluice::report {

namespace {

constexpr char32_t kInvalid = 0xFFFD;

struct Character {
  char32_t code = kInvalid;
  std::size_t bytes = 1;
};

std::size_t sequence_length(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return 2;
  if (lead >= 0xE0 && lead <= 0xEF) return 3;
  if (lead >= 0xF0 && lead <= 0xF4) return 4;
  return 0;
}

bool is_allowed(char32_t code, std::size_t length) {
  constexpr std::array<char32_t, 5> kSmallest = {0, 0, 0x80, 0x800, 0x10000};  // below: overlong encoding
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  return code >= kSmallest[length] && code <= 0x10FFFF && !surrogate;
}

/// The character at the start of `text`, which is not empty; a byte that starts no character is kInvalid, one
/// byte long.
Character first_character(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t length = sequence_length(lead);
  if (length == 1) return {lead, 1};
  if (length == 0 || text.size() < length) return {};
  char32_t code = lead & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xC0U) != 0x80U) return {};
    code = (code << 6U) | (byte & 0x3FU);
  }
  return is_allowed(code, length) ? Character{code, length} : Character{};
}

bool is_blank(char32_t code) {
  return code <= 0x20 || (code >= 0x7F && code <= 0x9F) || code == 0x2028 || code == 0x2029;
}

bool is_direction_mark(char32_t code) {
  return code == 0x200E || code == 0x200F || (code >= 0x202A && code <= 0x202E) ||
         (code >= 0x2066 && code <= 0x2069);
}

std::size_t columns_of(char32_t code) {
  struct Block {
    char32_t first;
    char32_t last;
  };
  // Characters that common terminals draw two columns wide (Unicode's East Asian Width W and F, by whole
  // blocks).
  constexpr std::array<Block, 10> kWide = {{{0x1100, 0x115F},
                                            {0x2E80, 0x303E},
                                            {0x3041, 0x4DBF},
                                            {0x4E00, 0xA4CF},
                                            {0xAC00, 0xD7A3},
                                            {0xF900, 0xFAFF},
                                            {0xFE30, 0xFE6F},
                                            {0xFF00, 0xFF60},
                                            {0x1F300, 0x1FAFF},
                                            {0x20000, 0x3FFFD}}};
  const bool wide = std::any_of(kWide.begin(), kWide.end(),
                                [code](Block block) { return code >= block.first && code <= block.last; });
  return wide ? 2 : 1;
}

/// Length of the colour sequence (ESC [ … m) at the start of `text`; 0 if there is none.
std::size_t colour_length(std::string_view text) {
  if (text.substr(0, 2) != "\x1b[") return 0;
  const auto end = text.find('m');
  return end == std::string_view::npos ? 0 : end + 1;
}

}  // namespace

std::string clean_line(std::string_view text, bool utf8) {
  std::string line;
  bool blank_wanted = false;
  for (std::size_t at = 0; at < text.size();) {
    const Character next = first_character(text.substr(at));
    const std::string_view bytes = text.substr(at, next.bytes);
    at += next.bytes;
    if (is_direction_mark(next.code)) continue;
    if (is_blank(next.code)) {
      blank_wanted = true;
      continue;
    }
    if (blank_wanted && !line.empty()) line += ' ';
    blank_wanted = false;
    if (next.code >= 0x80 && !utf8) {
      line += '?';
    } else {
      line += next.code == kInvalid ? std::string_view("\uFFFD") : bytes;
    }
  }
  return line;
}

std::size_t display_width(std::string_view line) {
  std::size_t width = 0;
  for (std::size_t at = 0; at < line.size();) {
    if (const std::size_t colour = colour_length(line.substr(at)); colour > 0) {
      at += colour;
      continue;
    }
    const Character next = first_character(line.substr(at));
    width += columns_of(next.code);
    at += next.bytes;
  }
  return width;
}

std::string fit_line(const std::string& line, std::size_t width, bool utf8) {
  if (display_width(line) <= width) return line;
  const std::string ellipsis = utf8 ? "…" : "...";
  const std::size_t mark = display_width(ellipsis) < width ? display_width(ellipsis) : 0;
  std::string cut;
  std::size_t used = 0;
  for (std::size_t at = 0; at < line.size();) {
    const Character next = first_character(std::string_view(line).substr(at));
    if (used + columns_of(next.code) > width - mark) break;
    used += columns_of(next.code);
    cut.append(line, at, next.bytes);
    at += next.bytes;
  }
  return mark > 0 ? cut + ellipsis : cut;
}

std::vector<std::string> pack_lines(const std::vector<std::string>& texts, const std::string& gap,
                                    std::size_t width, bool utf8) {
  std::vector<std::string> lines;
  for (const auto& text : texts) {
    const std::string fitted = fit_line(text, width, utf8);
    if (!lines.empty() && display_width(lines.back()) + gap.size() + display_width(fitted) <= width) {
      lines.back() += gap + fitted;
    } else {
      lines.push_back(fitted);
    }
  }
  return lines;
}

std::vector<std::string> wrap_line(const std::string& line, std::size_t width, bool utf8) {
  std::vector<std::string> words;
  for (std::size_t at = 0; at < line.size();) {
    const std::size_t end = std::min(line.find(' ', at), line.size());
    words.push_back(line.substr(at, end - at));
    at = end + 1;
  }
  return pack_lines(words, " ", width, utf8);
}

}  // namespace pgsluice::report
