#include "job/sql/column_rename.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "job/sql/parse_tree.hpp"
#include "job/sql/table_name.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::job {
namespace {

constexpr std::string_view kBefore = "SELECT (";
constexpr std::string_view kAfter = "\n)";  // the line break ends a line comment

/// Part of a text: [from, to) in bytes.
struct Place {
  std::size_t from;
  std::size_t to;
};

[[noreturn]] void fail(std::string_view sql, const char* why) {
  throw Error(ExitCode::kInternal, "expression \"" + std::string(sql) + "\" " + why);
}

const Tree* value_of(const Checked<std::vector<ParsedStatement>>& parsed) {
  const auto* statements = std::get_if<std::vector<ParsedStatement>>(&parsed);
  return statements == nullptr ? nullptr : only_value(*statements);
}

/// Always quoted: no need to know keywords or folding.
std::string in_quotes(std::string_view name) {
  std::string text = "\"";
  for (const char c : name) {
    text += c;
    if (c == '"') text += c;
  }
  return text + "\"";
}

/// Removes one identifier from the front of `rest`, which is the end of a text of `size` bytes; false if it
/// is not `name`.
bool take(std::string_view& rest, std::size_t size, const std::string& name, Place& place) {
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t\r\n\f\v"), rest.size()));
  const std::string_view before = rest;
  const auto taken = take_identifier(rest);
  const auto* found = std::get_if<std::string>(&taken);
  if (found == nullptr || *found != name) return false;
  const std::string_view word = before.substr(0, before.size() - rest.size());
  place.from = size - before.size();
  place.to = place.from + word.find_last_not_of(" \t\r\n\f\v") + 1;
  return true;
}

/// Position of the last part of the reference at `from`; `to` is 0 if the text is written in a way that is
/// not supported here (a comment between the parts, U&"…").
Place last_part(std::string_view text, std::size_t from, const Tree& fields) {
  Place place{0, 0};
  std::string_view rest = text.substr(from);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) {
      if (rest.empty() || rest.front() != '.') return {0, 0};
      rest.remove_prefix(1);
    }
    if (!take(rest, text.size(), string_node(fields[i]), place)) return {0, 0};
  }
  return place;
}

/// Positions of the columns to rename, with their new names.
std::map<std::size_t, std::pair<Place, std::string>> find_columns(
    std::string_view sql, std::string_view text, const Tree& value,
    const std::map<std::string, std::string>& names) {
  std::map<std::size_t, std::pair<Place, std::string>> found;
  visit_nodes(value, [&](std::string_view node, const Tree& tree, bool) {
    if (node == "SubLink")
      fail(sql, "contains a subquery, whose columns cannot be distinguished from the table's");
    const Tree& fields = child(tree, "fields");
    if (node != "ColumnRef" || !fields.is_array() || fields.empty()) return;
    const auto name = names.find(string_node(fields.back()));
    if (name == names.end()) return;
    const Place place = last_part(text, child(tree, "location").get<std::size_t>(), fields);
    if (place.to == 0) fail(sql, "writes a column in a way that cannot be renamed");
    found.emplace(place.from, std::pair(place, name->second));
  });
  return found;
}

}  // namespace

std::string rename_columns(std::string_view sql, const std::map<std::string, std::string>& names) {
  std::string text = std::string(kBefore) + std::string(sql) + std::string(kAfter);
  const auto parsed = parse_statements(text);
  const Tree* value = value_of(parsed);
  // Without the parentheses too, or `1) + (2` would pass.
  const auto bare = parse_statements("SELECT " + std::string(sql) + "\n");
  if (value == nullptr || value_of(bare) == nullptr) fail(sql, "is not one expression");
  const auto found = find_columns(sql, text, *value, names);
  for (auto at = found.rbegin(); at != found.rend(); ++at) {
    const auto& [place, name] = at->second;
    // u&id with a quote after the & would be a quoted name with escapes.
    const char* gap = text[place.from - 1] == '&' ? " " : "";
    text.replace(place.from, place.to - place.from, gap + in_quotes(name));
  }
  return text.substr(kBefore.size(), text.size() - kBefore.size() - kAfter.size());
}

}  // namespace pgsluice::job
