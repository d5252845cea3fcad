#include "job/condition/time_calls.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <utility>
#include <vector>

#include "job/sql/parse_tree.hpp"

namespace pgsluice::job {
namespace {

constexpr std::string_view kBefore = "SELECT (";  // as check_expression() wraps it

constexpr std::array<std::string_view, 4> kNows = {"now", "transaction_timestamp", "statement_timestamp",
                                                   "clock_timestamp"};
constexpr std::array<std::string_view, 4> kWords = {"now", "today", "tomorrow", "yesterday"};
constexpr const char* kWriteNow = "write now() or CURRENT_DATE: they mean the time at which the step began";

/// SQL's functions without parentheses: how the parse tree names them, how they are written, and their type.
struct ValueFunction {
  std::string_view op;
  std::string_view keyword;
  std::string_view type;
  bool takes_digits;
};
constexpr std::array<ValueFunction, 9> kValueFunctions = {{
    {"SVFOP_CURRENT_DATE", "current_date", "date", false},
    {"SVFOP_CURRENT_TIME", "current_time", "timetz", false},
    {"SVFOP_CURRENT_TIME_N", "current_time", "timetz", true},
    {"SVFOP_CURRENT_TIMESTAMP", "current_timestamp", "timestamptz", false},
    {"SVFOP_CURRENT_TIMESTAMP_N", "current_timestamp", "timestamptz", true},
    {"SVFOP_LOCALTIME", "localtime", "time", false},
    {"SVFOP_LOCALTIME_N", "localtime", "time", true},
    {"SVFOP_LOCALTIMESTAMP", "localtimestamp", "timestamp", false},
    {"SVFOP_LOCALTIMESTAMP_N", "localtimestamp", "timestamp", true},
}};

/// A piece of the text to be replaced.
struct Piece {
  std::size_t from = 0;
  std::size_t to = 0;
  std::string by;
};

/// Behind the parenthesis that closes the one at or after `from`; npos if something other than spaces and
/// digits is in between, which these calls never have but for a comment.
std::size_t behind_parentheses(std::string_view text, std::size_t from) {
  const auto open = text.find_first_not_of(" \t\r\n", from);
  if (open == std::string_view::npos || text[open] != '(') return std::string_view::npos;
  const auto close = text.find_first_not_of(" \t\r\n0123456789", open + 1);
  return close != std::string_view::npos && text[close] == ')' ? close + 1 : std::string_view::npos;
}

std::size_t place_of(const Tree& node) {
  const auto& at = child(node, "location");
  return at.is_number() ? at.get<std::size_t>() - kBefore.size() : std::string_view::npos;
}

std::string last_name(const Tree& call) {
  std::string name;
  for (const Tree& part : child(call, "funcname")) name = string_node(part);
  return name;
}

bool is_of_server(const Tree& call) {
  const auto& parts = child(call, "funcname");
  return parts.size() == 1 || string_node(parts.front()) == "pg_catalog";
}

std::string typed(std::string_view as_of, std::string_view type) {
  std::string value = "('" + std::string(as_of) + "'::pg_catalog.timestamptz)";
  return type == "timestamptz" ? value : "(" + value + "::pg_catalog." + std::string(type) + ")";
}

Refusal hidden(const std::string& what) {
  return {"depends on the time by way of " + what + ", which cannot be fixed when the step begins",
          kWriteNow};
}

/// What stands in the text for the call; nothing if it is not about time.
Checked<std::optional<Piece>> call_piece(const Tree& call, std::string_view text, std::string_view as_of) {
  const auto name = last_name(call);
  if (!is_of_server(call)) return std::optional<Piece>{};
  if (name == "timeofday") return hidden("timeofday()");
  if (name == "age" && child(call, "args").size() == 1)
    return hidden("age() of one argument, which is relative to today");
  if (std::find(kNows.begin(), kNows.end(), name) == kNows.end()) return std::optional<Piece>{};
  const auto from = place_of(call);
  const auto open = from < text.size() ? text.find('(', from) : std::string_view::npos;
  const auto to = open == std::string_view::npos ? open : behind_parentheses(text, open);
  if (to == std::string_view::npos) return hidden("a call of " + name + " with a comment in it");
  return std::optional(Piece{from, to, typed(as_of, "timestamptz")});
}

Checked<std::optional<Piece>> value_piece(const Tree& node, std::string_view text, std::string_view as_of) {
  const auto op = text_of(node, "op");
  const auto found = std::find_if(kValueFunctions.begin(), kValueFunctions.end(),
                                  [&](const ValueFunction& one) { return one.op == op; });
  if (found == kValueFunctions.end()) return std::optional<Piece>{};  // CURRENT_USER and the like
  const auto from = place_of(node);
  auto to = from + found->keyword.size();
  if (from >= text.size() || to > text.size()) return hidden(std::string(found->keyword));
  auto value = typed(as_of, found->type);
  if (found->takes_digits) {
    const auto behind = behind_parentheses(text, to);
    if (behind == std::string_view::npos)
      return hidden(std::string(found->keyword) + " with a comment in it");
    const auto digits = text.substr(to, behind - to);
    value = "(" + value + "::pg_catalog." + std::string(found->type) + std::string(digits) + ")";
    to = behind;
  }
  return std::optional(Piece{from, to, std::move(value)});
}

std::optional<Refusal> word_problem(const Tree& constant) {
  auto text = text_of(child(constant, "sval"), "sval");
  if (text.empty()) text = string_node(child(constant, "val"));
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return std::nullopt;
  const auto start = text.substr(first, text.find_first_of(" \t\r\n", first) - first);
  const bool is_time = std::find(kWords.begin(), kWords.end(), start) != kWords.end();
  // 'today 12:00' is a time, "today we wrote" is not: digits follow, or nothing.
  const auto rest = text.find_first_not_of(" \t\r\n", first + start.size());
  if (!is_time || (rest != std::string::npos && !std::isdigit(static_cast<unsigned char>(text[rest]))))
    return std::nullopt;
  return hidden("the word '" + start + "'");
}

}  // namespace

Checked<std::string> at_fixed_time(std::string_view expression, std::string_view as_of) {
  std::string text(expression);
  const auto parsed = parse_statements(std::string(kBefore) + text + "\n)");
  if (const auto* refusal = std::get_if<Refusal>(&parsed)) return *refusal;
  std::optional<Refusal> problem;
  std::vector<Piece> pieces;
  const auto take = [&](Checked<std::optional<Piece>> found) {
    if (auto* refusal = std::get_if<Refusal>(&found))
      problem = std::move(*refusal);
    else if (auto& piece = std::get<0>(found))
      pieces.push_back(std::move(*piece));
  };
  for (const auto& statement : std::get<0>(parsed)) {
    visit_nodes(statement.tree, [&](std::string_view name, const Tree& node, bool /*in_query*/) {
      if (problem) return;
      if (name == "FuncCall") take(call_piece(node, text, as_of));
      if (name == "SQLValueFunction") take(value_piece(node, text, as_of));
      if (name == "A_Const") problem = word_problem(node);
    });
  }
  if (problem) return std::move(*problem);
  std::sort(pieces.begin(), pieces.end(), [](const Piece& a, const Piece& b) { return a.from > b.from; });
  for (const auto& piece : pieces) text.replace(piece.from, piece.to - piece.from, piece.by);
  return text;
}

}  // namespace pgsluice::job
