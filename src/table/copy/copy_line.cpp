#include "table/copy/copy_line.hpp"

#include <charconv>
#include <string>

namespace pgsluice::engine {
namespace {

/// A tab within a value is escaped, so each tab ends a field.
std::string_view first_field(std::string_view line) {
  return line.substr(0, std::min(line.find_first_of("\t\n"), line.size()));
}

char unescaped(char c) {
  switch (c) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    case 'v':
      return '\v';
    default:
      return c;
  }
}

std::string value_of(std::string_view field) {
  std::string out;
  out.reserve(field.size());
  for (std::size_t i = 0; i < field.size(); ++i)
    out += field[i] == '\\' && i + 1 < field.size() ? unescaped(field[++i]) : field[i];
  return out;
}

}  // namespace

std::string_view after_fields(std::string_view line, std::size_t fields) {
  for (; fields > 0; --fields) {
    const auto tab = line.find('\t');
    if (tab == std::string_view::npos) return {};
    line.remove_prefix(tab + 1);
  }
  return line;
}

pg::Key key_at_start(std::string_view line, std::size_t fields) {
  pg::Key key;
  for (; fields > 0; --fields) {
    key.push_back(value_of(first_field(line)));
    line = after_fields(line, 1);
  }
  return key;
}

std::optional<std::int64_t> integer_in(std::string_view line, std::size_t field) {
  const auto text = first_field(after_fields(line, field));
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace pgsluice::engine
