#include "kinds/ddl/ddl_statements.hpp"

#include "job/sql/statement.hpp"
#include "pg/identifier.hpp"

namespace pgsluice::engine {
namespace {

/// The last is the lock of VALIDATE: waiting also gets past an autovacuum that blocks it.
bool is_worth_a_gentle_lock(const std::string& lock) {
  return lock == "ACCESS EXCLUSIVE" || lock == "EXCLUSIVE" || lock == "SHARE ROW EXCLUSIVE" ||
         lock == "SHARE" || lock == "SHARE UPDATE EXCLUSIVE";
}

}  // namespace

std::vector<steps::DdlStatement> ddl_statements(const std::vector<std::string>& statements) {
  std::vector<steps::DdlStatement> out;
  for (const auto& sql : statements) {
    const auto analysed = job::analyse_statement(sql);
    const auto* facts = std::get_if<job::StatementFacts>(&analysed);
    steps::DdlStatement statement{sql, "", facts ? facts->lock : ""};
    if (facts && facts->table && is_worth_a_gentle_lock(facts->lock)) {
      statement.table_sql = pg::Identifier(facts->table->schema, facts->table->name).sql();
      statement.columns_dropped = facts->columns_dropped;
      statement.constraints_dropped = facts->constraints_dropped;
      statement.is_table_dropped = facts->is_table_dropped;
      for (const auto& other : facts->other_locks) {
        const auto name = pg::Identifier(other.table.schema, other.table.name).sql();
        if (is_worth_a_gentle_lock(other.lock) && name != statement.table_sql)
          statement.other_tables_sql.push_back(name);
      }
    }
    out.push_back(std::move(statement));
  }
  return out;
}

}  // namespace pgsluice::engine
