#include "job/sql/expression.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "job/sql/parse_tree.hpp"
#include "job/sql/table_name.hpp"

namespace pgsluice::job {
namespace {

// An expression nests at most once every two bytes; this keeps the parser's recursion far from a stack
// overflow.
constexpr std::size_t kExpressionBytesMost = 16 * 1024;

// PostgreSQL's built-in aggregates. Others are found by the server, which knows each function's kind.
constexpr std::array<std::string_view, 50> kAggregates = {"any_value",
                                                          "array_agg",
                                                          "avg",
                                                          "bit_and",
                                                          "bit_or",
                                                          "bit_xor",
                                                          "bool_and",
                                                          "bool_or",
                                                          "corr",
                                                          "count",
                                                          "covar_pop",
                                                          "covar_samp",
                                                          "cume_dist",
                                                          "dense_rank",
                                                          "every",
                                                          "first_value",
                                                          "json_agg",
                                                          "json_object_agg",
                                                          "jsonb_agg",
                                                          "jsonb_object_agg",
                                                          "lag",
                                                          "last_value",
                                                          "lead",
                                                          "max",
                                                          "min",
                                                          "mode",
                                                          "nth_value",
                                                          "ntile",
                                                          "percent_rank",
                                                          "percentile_cont",
                                                          "percentile_disc",
                                                          "range_agg",
                                                          "range_intersect_agg",
                                                          "rank",
                                                          "regr_avgx",
                                                          "regr_avgy",
                                                          "regr_count",
                                                          "regr_intercept",
                                                          "regr_r2",
                                                          "regr_slope",
                                                          "regr_sxx",
                                                          "regr_sxy",
                                                          "regr_syy",
                                                          "row_number",
                                                          "stddev",
                                                          "stddev_pop",
                                                          "stddev_samp",
                                                          "string_agg",
                                                          "sum",
                                                          "variance"};

constexpr const char* kOneExpression =
    "write one SQL expression over the row's own columns, such as lower(email)";

std::vector<std::string> name_parts(const Tree& call) {
  std::vector<std::string> parts;
  for (const Tree& part : child(call, "funcname")) parts.push_back(string_node(part));
  return parts;
}

std::vector<std::string> column_parts(const Tree& reference) {
  std::vector<std::string> parts;
  for (const Tree& part : child(reference, "fields"))
    parts.push_back(part.contains("A_Star") ? "*" : string_node(part));
  return parts;
}

template <class Value>
void add_once(std::vector<Value>& values, Value value) {
  if (std::find(values.begin(), values.end(), value) == values.end()) values.push_back(std::move(value));
}

std::string function_name(const Tree& call) {
  std::string name;
  for (const std::string& part : name_parts(call)) name += (name.empty() ? "" : ".") + written(part);
  return name;
}

bool is_aggregate(const Tree& call) {
  for (const char* mark : {"agg_star", "agg_distinct", "agg_within_group"}) {
    if (is_set(call, mark)) return true;
  }
  if (!child(call, "agg_order").is_null() || !child(call, "agg_filter").is_null()) return true;
  const std::vector<std::string> parts = name_parts(call);
  if (parts.size() > 1 && parts.front() != "pg_catalog") return false;
  return !parts.empty() &&
         std::find(kAggregates.begin(), kAggregates.end(), parts.back()) != kAggregates.end();
}

std::optional<Refusal> check_call(const Tree& call, bool in_query) {
  if (in_query) return std::nullopt;
  if (!child(call, "over").is_null()) {
    return Refusal{
        "contains the window function " + function_name(call),
        "a value is computed row by row; put the window function into a subquery that looks up the value"};
  }
  if (!is_aggregate(call)) return std::nullopt;
  return Refusal{
      "contains the aggregate " + function_name(call),
      "a value is computed row by row; an aggregate is allowed in a subquery: (SELECT sum(x) FROM …)"};
}

std::optional<Refusal> check_node(std::string_view name, const Tree& node, bool in_query) {
  if (name == "FuncCall") return check_call(node, in_query);
  if (name == "GroupingFunc" && !in_query)
    return Refusal{"contains GROUPING", "a value is computed row by row"};
  if (name == "ParamRef") {
    return Refusal{"contains the parameter $" + std::to_string(child(node, "number").get<int>()),
                   "the expression gets no parameters: write the value itself"};
  }
  if (name == "SetToDefault") return Refusal{"contains DEFAULT", "write out the default's expression"};
  for (const std::string_view writes : {"InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"}) {
    if (name == writes)
      return Refusal{"contains a statement that writes", "an expression may only look up values"};
  }
  return std::nullopt;
}

std::string hint_for(std::string_view text) {
  auto first = std::string(text.substr(0, text.find_first_of(" \t\r\n(")));
  std::transform(first.begin(), first.end(), first.begin(),
                 [](char c) { return static_cast<char>(c | 0x20); });
  if (first == "select" || first == "with") return "put a query in parentheses: (SELECT …)";
  if (text.back() == ';') return "leave out the semicolon: an expression is not a statement";
  return kOneExpression;
}

/// `SELECT (text)` as a tree. Parses both `SELECT text` and `SELECT (text)`: the first alone would accept an
/// alias or a FROM, the second alone `1) + (2`; only a text that passes both is one expression. The line
/// break ends a line comment.
Checked<std::vector<ParsedStatement>> parse_value(std::string_view text) {
  auto bare = parse_statements("SELECT " + std::string(text) + "\n");
  if (auto* refusal = std::get_if<Refusal>(&bare))
    return Refusal{std::move(refusal->message), hint_for(text)};
  const auto& statements = std::get<0>(bare);
  if (statements.size() > 1) {
    return Refusal{
        "must be one expression, but contains " + std::to_string(statements.size()) + " statements",
        kOneExpression};
  }
  auto wrapped = parse_statements("SELECT (" + std::string(text) + "\n)");
  const auto* whole = std::get_if<std::vector<ParsedStatement>>(&wrapped);
  if (whole == nullptr || only_value(statements) == nullptr || only_value(*whole) == nullptr) {
    return Refusal{"must be exactly one expression", hint_for(text)};
  }
  return wrapped;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpaces = " \t\r\n\f\v";
  const auto first = text.find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

}  // namespace

Checked<Expression> check_expression(std::string_view text) {
  text = trim(text);
  if (text.empty()) return Refusal{"is empty", kOneExpression};
  if (text.size() > kExpressionBytesMost)
    return Refusal{"is longer than 16 kB", "put it into a function and call that"};
  auto parsed = parse_value(text);
  if (auto* refusal = std::get_if<Refusal>(&parsed)) return std::move(*refusal);

  Expression expression;
  std::optional<Refusal> found;
  visit_nodes(*only_value(std::get<0>(parsed)), [&](std::string_view name, const Tree& node, bool in_query) {
    if (!found) found = check_node(name, node, in_query);
    if (name == "FuncCall") add_once(expression.functions, function_name(node));
    if (name == "ColumnRef" && !in_query) add_once(expression.columns, column_parts(node));
    if (name == "SubLink") expression.has_query = true;
    if (name == "RangeVar") add_once(expression.tables, table_of(node));
  });
  if (found) return std::move(*found);
  expression.text = std::string(text);
  const auto last_line = text.rfind('\n');
  if (text.find("--", last_line == std::string_view::npos ? 0 : last_line) != std::string_view::npos) {
    expression.text += '\n';
  }
  return expression;
}

}  // namespace pgsluice::job
