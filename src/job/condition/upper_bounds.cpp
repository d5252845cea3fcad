#include "job/condition/upper_bounds.hpp"

#include "job/sql/parse_tree.hpp"

namespace pgsluice::job {
namespace {

bool depends_on_rows(const Tree& value) {
  bool depends = false;
  visit_nodes(value, [&](std::string_view name, const Tree&, bool /*in_query*/) {
    depends = depends || name == "ColumnRef" || name == "SubLink";
  });
  return depends;
}

/// The column's own name; empty for anything else.
std::string column_of(const Tree& side) {
  const auto& fields = child(child(side, "ColumnRef"), "fields");
  return fields.is_array() && !fields.empty() ? string_node(fields.back()) : std::string();
}

/// Of one comparison; empty if it bounds none.
std::string bounded_by(const Tree& condition) {
  const auto& comparison = child(condition, "A_Expr");
  if (text_of(comparison, "kind") != "AEXPR_OP") return {};
  const auto& names = child(comparison, "name");
  if (!names.is_array() || names.size() != 1) return {};
  const auto op = string_node(names.front());
  const bool is_below = op == "<" || op == "<=";
  if (!is_below && op != ">" && op != ">=") return {};
  const auto& lesser = child(comparison, is_below ? "lexpr" : "rexpr");
  const auto& greater = child(comparison, is_below ? "rexpr" : "lexpr");
  return depends_on_rows(greater) ? std::string() : column_of(lesser);
}

}  // namespace

std::vector<std::string> columns_with_upper_bound(std::string_view condition) {
  const auto parsed = parse_statements("SELECT (" + std::string(condition) + "\n)");
  const auto* statements = std::get_if<std::vector<ParsedStatement>>(&parsed);
  const auto* whole = statements ? only_value(*statements) : nullptr;
  std::vector<std::string> columns;
  std::vector<const Tree*> open;
  if (whole) open.push_back(whole);
  while (!open.empty()) {
    const Tree& one = *open.back();
    open.pop_back();
    const auto& joined = child(one, "BoolExpr");
    if (text_of(joined, "boolop") == "AND_EXPR") {
      const auto& args = child(joined, "args");
      for (auto at = args.rbegin(); at != args.rend(); ++at) open.push_back(&*at);
    } else if (auto column = bounded_by(one); !column.empty()) {
      columns.push_back(std::move(column));
    }
  }
  return columns;
}

}  // namespace pgsluice::job
