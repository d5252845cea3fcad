#include "job/sql/table_name.hpp"

namespace pgsluice::job {
namespace {

// PostgreSQL's NAMEDATALEN - 1: the server would truncate a longer name, which would then mean another
// object.
constexpr std::size_t kIdentifierBytesMost = 63;

constexpr std::string_view kSpaces = " \t\r\n\f\v";

bool is_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool is_part(char c) {
  return is_start(c) || (c >= '0' && c <= '9') || c == '$';
}

void skip_spaces(std::string_view& text) {
  const auto first = text.find_first_not_of(kSpaces);
  text.remove_prefix(first == std::string_view::npos ? text.size() : first);
}

/// Only ASCII letters fold, as in the server for every multi-byte encoding.
std::string take_plain(std::string_view& text) {
  std::string name;
  while (!text.empty() && is_part(text.front())) {
    const char c = text.front();
    name += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    text.remove_prefix(1);
  }
  return name;
}

/// REQUIRES: text begins with the opening quote. A doubled quote means one quote. Returns false if there is
/// no closing quote.
bool take_quoted(std::string_view& text, std::string& name) {
  text.remove_prefix(1);
  while (!text.empty()) {
    const char c = text.front();
    text.remove_prefix(1);
    if (c == '"') {
      if (text.empty() || text.front() != '"') return true;
      text.remove_prefix(1);
    }
    name += c;
  }
  return false;
}

Refusal not_a_name(std::string_view at) {
  const std::string what = at.empty() ? "ends where a name is expected"
                                      : "has \"" + std::string(at.substr(0, 1)) + "\" where a name begins";
  return {what,
          "write names as in SQL, with double quotes around one with spaces, dots or other special "
          "characters: '\"Odd Schema\".\"Order Lines\"'"};
}

}  // namespace

Checked<std::string> take_identifier(std::string_view& text) {
  skip_spaces(text);
  std::string name;
  if (!text.empty() && text.front() == '"') {
    if (!take_quoted(text, name))
      return Refusal{"has no closing double quote", "double a quote inside a name: \"a\"\"b\""};
    if (name.empty()) return Refusal{"contains an empty name", "a quoted name needs at least one character"};
  } else {
    if (text.empty() || !is_start(text.front())) return not_a_name(text);
    name = take_plain(text);
  }
  if (name.size() > kIdentifierBytesMost) {
    return Refusal{"contains a name longer than 63 bytes",
                   "the server truncates longer names: write the name it has there"};
  }
  skip_spaces(text);
  return name;
}

Checked<std::string> parse_column_name(std::string_view text) {
  auto name = take_identifier(text);
  if (std::holds_alternative<Refusal>(name) || text.empty()) return name;
  return Refusal{"is not one column name (\"" + std::string(text) + "\" is left over)",
                 "write it as in SQL, in double quotes if it contains spaces or other special characters: "
                 "'\"Order No\"'"};
}

Checked<TableName> parse_table_name(std::string_view text) {
  TableName table;
  auto first = take_identifier(text);
  if (auto* refusal = std::get_if<Refusal>(&first)) return std::move(*refusal);
  table.name = std::get<std::string>(std::move(first));
  if (!text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    auto second = take_identifier(text);
    if (auto* refusal = std::get_if<Refusal>(&second)) return std::move(*refusal);
    table.schema = std::move(table.name);
    table.name = std::get<std::string>(std::move(second));
  }
  if (text.empty()) return table;
  if (text.front() == '.') {
    return Refusal{"has more than two parts", "write schema.table; the connection determines the database"};
  }
  return Refusal{"is not one table name (\"" + std::string(text) + "\" is left over)",
                 "write it as in SQL, in double quotes if it contains spaces or other special characters: "
                 "'\"Order Lines\"'"};
}

std::string written(std::string_view identifier) {
  bool plain = !identifier.empty() && is_start(identifier.front());
  for (const char c : identifier) plain = plain && is_part(c) && !(c >= 'A' && c <= 'Z');
  if (plain) return std::string(identifier);
  std::string quoted = "\"";
  for (const char c : identifier) {
    quoted += c;
    if (c == '"') quoted += c;
  }
  return quoted + "\"";
}

std::string written(const TableName& table) {
  const std::string name = written(table.name);
  return table.schema.empty() ? name : written(table.schema) + "." + name;
}

}  // namespace pgsluice::job
