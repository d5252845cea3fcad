#include "kinds/retype/dependents/bound_aliases.hpp"

#include <string_view>

namespace pgsluice::steps::retype {
namespace {

/// Where the name at the beginning of `text` ends; 0 if there is none.
std::size_t name_length(std::string_view text) {
  if (text.empty() || text.front() != '"') {
    const auto end = text.find_first_of(" \t\n(),;:.\"'");
    return end == std::string_view::npos ? text.size() : end;
  }
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] != '"') continue;
    if (i + 1 == text.size() || text[i + 1] != '"') return i + 1;
    ++i;  // a doubled quote is part of the name
  }
  return 0;
}

/// `text` is what follows a table's name. The server writes ` alias(a, b)` or ` AS alias(a, b)`, and a blank
/// before the column list of an INSERT.
bool begins_with_alias_list(std::string_view text) {
  if (text.empty() || text.front() != ' ') return false;
  text.remove_prefix(1);
  if (text.starts_with("AS ")) text.remove_prefix(3);
  const auto length = name_length(text);
  return length > 0 && length < text.size() && text[length] == '(';
}

}  // namespace

bool names_columns_by_position(const std::vector<std::string>& definition, const std::string& table) {
  for (const std::string& statement : definition) {
    const std::string_view text = statement;
    for (auto at = text.find(table); at != std::string_view::npos; at = text.find(table, at + 1)) {
      if (begins_with_alias_list(text.substr(at + table.size()))) return true;
    }
  }
  return false;
}

}  // namespace pgsluice::steps::retype
