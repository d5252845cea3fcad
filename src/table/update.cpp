#include "table/update.hpp"

#include <algorithm>
#include <set>

#include "pg/connection/transaction.hpp"
#include "pg/identifier.hpp"
#include "pg/key.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::steps {
namespace {

constexpr const char* kVolatile = R"sql(
SELECT DISTINCT f.name
FROM unnest($1::text[]) AS f(name)
JOIN pg_catalog.pg_proc p ON lower(p.proname) = lower(split_part(f.name, '.', -1))
WHERE p.provolatile = 'v' AND p.prokind = 'f'
ORDER BY 1
)sql";

}  // namespace

std::string where_sql(const BackfillStep& step, const std::string& predicate) {
  const std::string sql = "WHERE " + predicate;
  return step.where.empty() ? sql : sql + "\n  AND CASE WHEN (" + step.where + "\n) THEN true END";
}

std::string set_sql(const BackfillStep& step) {
  std::string sql = "SET ";
  for (std::size_t i = 0; i < step.set.size(); ++i) {
    if (i) sql += ", ";
    // The closing parenthesis is on its own line, because an expression may end in a comment.
    sql += pg::Identifier(step.set[i].column).sql() + " = (" + step.set[i].expression + "\n)";
  }
  return sql;
}

std::string set_and_where(const BackfillStep& step, const std::string& predicate) {
  return set_sql(step) + "\n" + where_sql(step, predicate);
}

std::string update_sql(const pg::Table& table, const BackfillStep& step, const std::string& predicate) {
  return "UPDATE " + table.sql() + "\n" + set_and_where(step, predicate);
}

std::string selected_sql(const pg::Table& table, const BackfillStep& step, const std::string& predicate) {
  return "SELECT count(*) FROM (SELECT FROM " + table.sql() + "\n" + where_sql(step, predicate) +
         "\nFOR NO KEY UPDATE) AS selected";
}

void check_columns(const pg::Table& table, const std::vector<pg::Column>& key, const BackfillStep& step) {
  std::set<std::string> seen;
  for (const auto& assignment : step.set) {
    const auto& name = assignment.column;
    const pg::Column* column = table.find(name);
    if (!column) {
      throw Error(ExitCode::kRefused, "table \"" + table.name + "\" has no column \"" + name + "\"",
                  "add it in a sql step before this one, or check its spelling in `set`");
    }
    if (column->is_generated) {
      throw Error(ExitCode::kRefused, "column \"" + name + "\" of table \"" + table.name + "\" is generated",
                  "PostgreSQL computes it; change the columns it depends on");
    }
    if (!seen.insert(name).second) {
      throw Error(ExitCode::kRefused, "column \"" + name + "\" is set twice", "keep one of the two");
    }
    if (std::any_of(key.begin(), key.end(), [&](const pg::Column& k) { return k.name == name; })) {
      throw Error(
          ExitCode::kRefused, "column \"" + name + "\" belongs to the key that the walk follows",
          "a row that moves along the key could be changed twice: name another unique key with `key`");
    }
  }
}

std::string explain_sql(const std::string& statement) {
  return "EXPLAIN (COSTS OFF) " + statement;
}

std::string explain(pg::Session& session, const std::string& statement) try {
  return pg::in_transaction(session, {}, [&] {
    const auto rows = session.exec(explain_sql(statement));
    std::string plan;
    for (std::size_t i = 0; i < rows.size(); ++i) plan += rows.text(i, 0) + "\n";
    return plan;
  });
} catch (const pg::Failure& f) {
  // A lock that another session holds on the table says nothing about the statement.
  if (f.is_connection_lost() || f.disposition() == pg::Disposition::kRetryable) throw;
  if (f.sqlstate() == pg::kInsufficientPrivilege) {
    throw Error(ExitCode::kPrivileges, std::string("the batch statement is not allowed: ") + f.what(),
                "GRANT the missing privilege to the role that runs the job; rows hidden by row security need "
                "BYPASSRLS");
  }
  throw Error(ExitCode::kRefused, std::string("the server refuses the batch statement: ") + f.what(),
              "check the expressions in `set` and `where`");
}

std::vector<std::string> volatile_functions(pg::Session& session, const std::vector<std::string>& functions) {
  if (functions.empty()) return {};
  const auto rows = session.exec(kVolatile, {pg::to_array(functions)});
  std::vector<std::string> out;
  for (std::size_t i = 0; i < rows.size(); ++i) out.push_back(rows.text(i, 0));
  return out;
}

}  // namespace pgsluice::steps
