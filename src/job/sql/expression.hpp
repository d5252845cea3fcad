#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "job/sql/refusal.hpp"

namespace pgsluice::job {

/// One SQL expression of the operator's own, checked to be nothing more.
struct Expression {
  /// Safe to stand in parentheses: it ends with a line break where it holds a line comment, so that what
  /// follows is not swallowed.
  std::string text;
  /// Every function called in it, subqueries included, each once, as it could be written in SQL (`lower`,
  /// `pg_catalog.extract`, `"Odd".f`). The parser knows names only: whether one is volatile, an aggregate or
  /// missing, the server must say.
  std::vector<std::string> functions;
  /// Every column reference outside a subquery, each once, as its unquoted parts: {"id"}, {"users", "id"}; a
  /// whole row ends in "*".
  std::vector<std::vector<std::string>> columns;
  bool has_query = false;
};

/// Refuses what is not exactly one expression (several statements or values, unbalanced parentheses, an
/// alias), and outside a subquery aggregates and window functions; anywhere parameters, DEFAULT and
/// statements that write.
Checked<Expression> check_expression(std::string_view text);

}  // namespace pgsluice::job
