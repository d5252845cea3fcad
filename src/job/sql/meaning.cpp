#include "job/sql/meaning.hpp"

#include <algorithm>
#include <functional>
#include <iterator>
#include <optional>
#include <sstream>
#include <string_view>
#include <utility>

#include "job/sql/parse_tree.hpp"

namespace pgsluice::job {
namespace {

constexpr std::string_view kEquals = " = ";
constexpr std::string_view kSet = "set.";
// Most lines are tried once; a text that would need more is compared literally.
constexpr int kParsesMost = 2'000;

struct Entry {
  std::string key;
  std::string value;
};

bool is_statements(std::string_view key) {
  return key == "up" || key == "sql" || key == "query";
}

bool is_expression(std::string_view key) {
  return key.starts_with(kSet) || key == "where" || key == "using" || key == "back" || key == "new_ids";
}

Entry entry_of(const std::string& line) {
  const auto at = line.find(kEquals);
  if (at == std::string::npos) return {line, ""};
  return {line.substr(0, at), line.substr(at + kEquals.size())};
}

/// A text of several lines appears in a definition as several lines with its key.
std::vector<Entry> entries_of(const std::vector<std::string>& definition) {
  std::vector<Entry> entries;
  for (const auto& line : definition) {
    auto entry = entry_of(line);
    const bool is_sql = is_statements(entry.key) || is_expression(entry.key);
    if (is_sql && !entries.empty() && entries.back().key == entry.key) {
      entries.back().value += "\n" + entry.value;
    } else {
      entries.push_back(std::move(entry));
    }
  }
  return entries;
}

bool is_place(std::string_view key) {
  return key == "location" || key.ends_with("_location") || key == "stmt_len";
}

/// Removes the text positions of its nodes from a tree. Does not recurse: depth is bounded by memory and not
/// by the stack.
void forget_places(Tree& tree) {
  std::vector<Tree*> open{&tree};
  while (!open.empty()) {
    Tree& node = *open.back();
    open.pop_back();
    if (node.is_object()) {
      for (auto it = node.begin(); it != node.end();)
        it = is_place(it.key()) ? node.erase(it) : std::next(it);
    }
    if (!node.is_structured()) continue;
    for (Tree& below : node) open.push_back(&below);
  }
}

std::string meaning_of(std::vector<ParsedStatement> statements) {
  std::string meaning;
  for (auto& statement : statements) {
    forget_places(statement.tree);
    meaning +=
        statement.node + " " + statement.tree.dump(-1, ' ', false, Tree::error_handler_t::replace) + ";";
  }
  return meaning;
}

std::optional<std::string> parsed_meaning(const std::string& sql) {
  auto parsed = parse_statements(sql);
  if (auto* statements = std::get_if<std::vector<ParsedStatement>>(&parsed))
    return meaning_of(std::move(*statements));
  return std::nullopt;
}

/// The statements of a step follow each other without a separator. From `from` on, each is the shortest
/// sequence of lines that is a statement and leaves a rest of statements.
std::optional<std::string> meaning_line_by_line(const std::vector<std::string>& lines, std::size_t from,
                                                int& parses_left) {
  if (from == lines.size()) return "";
  std::string sql;
  for (std::size_t i = from; i < lines.size() && parses_left > 0; ++i) {
    sql += lines[i] + "\n";
    --parses_left;
    const auto first = parsed_meaning(sql);
    if (!first || first->empty()) continue;
    if (const auto rest = meaning_line_by_line(lines, i + 1, parses_left)) return *first + *rest;
  }
  return std::nullopt;
}

/// The text itself if the grammar rejects it.
std::string meaning_of_statements(const std::string& sql) {
  if (auto meaning = parsed_meaning(sql)) return *meaning;
  std::vector<std::string> lines;
  std::istringstream text(sql);
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  int parses_left = kParsesMost;
  return meaning_line_by_line(lines, 0, parses_left).value_or(sql);
}

std::string meaning_of_entry(const Entry& entry) {
  if (is_statements(entry.key)) return meaning_of_statements(entry.value);
  // The line break ends a line comment.
  if (is_expression(entry.key)) {
    return parsed_meaning("SELECT (" + entry.value + "\n)").value_or(entry.value);
  }
  return entry.value;
}

}  // namespace

std::vector<std::string> meaning_of(const std::vector<std::string>& definition) {
  std::vector<std::string> lines;
  for (const auto& entry : entries_of(definition))
    lines.push_back(entry.key + std::string(kEquals) + meaning_of_entry(entry));
  const auto is_set = [](const std::string& line) { return line.starts_with(kSet); };
  const auto sets = std::stable_partition(lines.begin(), lines.end(), std::not_fn(is_set));
  std::sort(sets, lines.end());
  return lines;
}

}  // namespace pgsluice::job
