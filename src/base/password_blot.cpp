#include "base/password_blot.hpp"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <span>
#include <string_view>

namespace pgsluice::base {
namespace {

constexpr char kBlot = 'x';

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n';
}

std::size_t skip_blanks(std::string_view text, std::size_t at) {
  while (at < text.size() && is_blank(text[at])) ++at;
  return at;
}

/// Blots one value as libpq reads it, which starts at `at`: bare up to a blank, or in single quotes; a
/// backslash escapes the next character. Returns where it ends.
std::size_t blot_value(std::span<char> text, std::size_t at) {
  const bool is_quoted = at < text.size() && text[at] == '\'';
  if (is_quoted) ++at;
  for (; at < text.size(); ++at) {
    if (is_quoted ? text[at] == '\'' : is_blank(text[at])) break;
    if (text[at] == '\\' && at + 1 < text.size()) text[at++] = kBlot;
    text[at] = kBlot;
  }
  return at;
}

void blot_settings(std::span<char> text) {
  constexpr std::string_view kKeyword = "password";  // ends "sslpassword" and "PGPASSWORD" as well
  const std::string_view view(text.data(), text.size());
  const auto find = [view, kKeyword](std::size_t from) {
    const auto found = std::search(
        view.begin() + static_cast<std::ptrdiff_t>(from), view.end(), kKeyword.begin(), kKeyword.end(),
        [](char written, char small) { return std::tolower(static_cast<unsigned char>(written)) == small; });
    return static_cast<std::size_t>(found - view.begin());
  };
  for (std::size_t at = find(0); at < view.size(); at = find(at)) {
    at = skip_blanks(view, at + kKeyword.size());
    if (at < view.size() && view[at] == '=') at = blot_value(text, skip_blanks(view, at + 1));
  }
}

/// Up to the last @, so that a password that should have been percent-encoded is covered too.
void blot_uri(std::span<char> text) {
  const std::string_view view(text.data(), text.size());
  const auto scheme = view.find("://");
  const auto host = view.rfind('@');
  if (scheme == std::string_view::npos || host == std::string_view::npos) return;
  const auto colon = view.find(':', scheme + 3);
  if (colon == std::string_view::npos || colon > host) return;
  std::fill(text.begin() + static_cast<std::ptrdiff_t>(colon) + 1,
            text.begin() + static_cast<std::ptrdiff_t>(host), kBlot);
}

void blot_out(std::span<char> text) {
  blot_settings(text);
  blot_uri(text);
}

}  // namespace

void blot_out_passwords(int argc, char** argv) {
  for (char* word : std::span(argv, static_cast<std::size_t>(argc)))
    blot_out(std::span(word, std::strlen(word)));
}

std::string without_passwords(std::string text) {
  blot_out(text);
  return text;
}

}  // namespace pgsluice::base
