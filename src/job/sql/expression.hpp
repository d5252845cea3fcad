#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "job/sql/refusal.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::job {

/// One SQL expression written by the operator, checked to be nothing more.
struct Expression {
  /// Safe to put in parentheses: if it ends in a line comment, it gets a line break, so that what follows is
  /// not swallowed.
  std::string text;
  /// Every function called in it, including subqueries, each once, as it could be written in SQL (`lower`,
  /// `pg_catalog.extract`, `"Odd".f`). The parser knows only names: whether a function is volatile, an
  /// aggregate or missing is for the server to say.
  std::vector<std::string> functions;
  /// Every column reference outside a subquery, each once, as its unquoted parts: {"id"}, {"users", "id"}; a
  /// whole row ends in "*".
  std::vector<std::vector<std::string>> columns;
  bool has_query = false;
  /// Every table that its subqueries name, each once, as written; also what WITH in them defines.
  std::vector<TableName> tables{};
};

/// Refuses anything but exactly one expression (several statements or values, unbalanced parentheses, an
/// alias); outside a subquery also aggregates and window functions; and everywhere parameters, DEFAULT and
/// statements that write.
Checked<Expression> check_expression(std::string_view text);

}  // namespace pgsluice::job
