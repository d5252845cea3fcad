#include "job/sql/parse_tree.hpp"

#include <pg_query.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

namespace pgsluice::job {
namespace {

// libpg_query outputs its tree recursively: a deeper one would crash the process instead of failing the
// parse. Far above any statement that a person writes.
constexpr std::size_t kSqlBytesMost = 1 << 20;

constexpr std::string_view kSpaces = " \t\r\n\f\v";

// pg_query_exit() is never called: it aborts the process, and a thread frees its memory when it ends.
struct FreeResult {
  void operator()(PgQueryParseResult* result) const {
    pg_query_free_parse_result(*result);
    delete result;
  }
};

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

/// `position` counts characters from 1; the line is mentioned only if there are several.
std::string line_of(std::string_view sql, int position) {
  if (trim(sql).find('\n') == std::string_view::npos) return {};
  int line = 1;
  int characters = 0;
  for (const char c : sql) {
    const bool continues = (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;  // inside a UTF-8 character
    if (!continues && ++characters >= position) break;
    if (c == '\n') ++line;
  }
  return " in its line " + std::to_string(line);
}

Refusal syntax_error(std::string_view sql, const PgQueryError& error) {
  return {"is not valid SQL: " + std::string(error.message) + line_of(sql, error.cursorpos),
          "the grammar is that of PostgreSQL " PG_MAJORVERSION};
}

ParsedStatement take_statement(std::string_view sql, Tree& raw) {
  const auto at = raw.value("stmt_location", std::size_t{0});
  const auto length = raw.value("stmt_len", std::size_t{0});  // 0: to the end
  Tree& node = raw.at("stmt");
  ParsedStatement statement;
  statement.text = std::string(trim(sql.substr(at, length == 0 ? std::string_view::npos : length)));
  statement.node = node.begin().key();
  statement.tree = std::move(node.begin().value());
  return statement;
}

bool is_node_name(const std::string& key) {
  return !key.empty() && key.front() >= 'A' && key.front() <= 'Z';
}

}  // namespace

Checked<std::vector<ParsedStatement>> parse_statements(std::string_view sql) {
  if (sql.size() > kSqlBytesMost) return Refusal{"is longer than 1 MB", "split it into several steps"};
  if (sql.find('\0') != std::string_view::npos)
    return Refusal{"contains a NUL byte", "SQL text ends at a NUL byte"};
  const std::string text(sql);
  const std::unique_ptr<PgQueryParseResult, FreeResult> result(
      new PgQueryParseResult(pg_query_parse(text.c_str())));
  if (result->error != nullptr) return syntax_error(sql, *result->error);
  Tree tree = Tree::parse(result->parse_tree, nullptr, false);
  if (tree.is_discarded()) return Refusal{"is not valid UTF-8", "write SQL in UTF-8"};
  std::vector<ParsedStatement> statements;
  for (Tree& raw : tree.at("stmts")) statements.push_back(take_statement(text, raw));
  return statements;
}

const Tree* only_value(const std::vector<ParsedStatement>& statements) {
  if (statements.size() != 1 || statements.front().node != "SelectStmt") return nullptr;
  const Tree& select = statements.front().tree;
  for (const auto& [key, value] : select.items()) {
    if (key != "targetList" && key != "limitOption" && key != "op") return nullptr;
  }
  const Tree& targets = child(select, "targetList");
  if (targets.size() != 1 || text_of(select, "limitOption") != "LIMIT_OPTION_DEFAULT") return nullptr;
  if (text_of(select, "op") != "SETOP_NONE") return nullptr;
  const Tree& target = child(targets.front(), "ResTarget");
  return child(target, "name").is_null() ? &child(target, "val") : nullptr;
}

const Tree& child(const Tree& tree, std::string_view key) {
  static const Tree kNothing;
  if (!tree.is_object()) return kNothing;
  const auto found = tree.find(key);
  return found == tree.end() ? kNothing : *found;
}

std::string text_of(const Tree& tree, std::string_view key) {
  const Tree& found = child(tree, key);
  return found.is_string() ? found.get<std::string>() : std::string();
}

bool is_set(const Tree& tree, std::string_view key) {
  const Tree& found = child(tree, key);
  return found.is_boolean() && found.get<bool>();
}

std::string string_node(const Tree& node) {
  return text_of(child(node, "String"), "sval");
}

TableName table_of(const Tree& range_var) {
  return {text_of(range_var, "schemaname"), text_of(range_var, "relname")};
}

void visit_nodes(const Tree& tree, const NodeVisitor& visit) {
  std::vector<std::pair<const Tree*, bool>> open{{&tree, false}};
  while (!open.empty()) {
    const auto [node, in_query] = open.back();
    open.pop_back();
    std::vector<std::pair<const Tree*, bool>> below;
    if (node->is_array()) {
      for (const Tree& item : *node) below.emplace_back(&item, in_query);
    } else if (node->is_object()) {
      for (const auto& [key, value] : node->items()) {
        if (is_node_name(key)) visit(key, value, in_query);
        below.emplace_back(&value, in_query || key == "subselect");
      }
    }
    open.insert(open.end(), std::make_move_iterator(below.rbegin()), std::make_move_iterator(below.rend()));
  }
}

}  // namespace pgsluice::job
