#include "kinds/sql/plan_sql.hpp"

#include "job/sql/statement.hpp"
#include "job/sql/table_effects.hpp"
#include "kinds/ddl/ddl.hpp"
#include "kinds/ddl/ddl_statements.hpp"
#include "kinds/ddl/plan_ddl.hpp"
#include "pg/identifier.hpp"
#include "table/update.hpp"

namespace pgsluice::engine {
namespace {

std::string sql_of(const TableName& table) {
  return pg::Identifier(table.schema, table.name).sql();
}

/// Notes why the statement takes long under its lock; nothing for a table that the job itself makes.
void note_long_work(pg::Session& session, const std::string& lock, const std::string& sql,
                    std::vector<std::string>& notes) {
  const auto described = job::table_effects(sql);
  const auto* effects = std::get_if<job::TableEffects>(&described);
  if (!effects) return;
  const std::string held = lock.empty() ? "" : " (" + lock + " is held the whole time)";
  for (const auto& work : effects->long_work) notes.push_back(work + held);
  for (const auto& function : steps::volatile_functions(session, effects->default_functions)) {
    notes.push_back("the default calls the volatile function " + function + ", so the table is rewritten" +
                    held);
  }
  if (effects->is_opaque) notes.push_back("its text does not show what it changes and which locks it takes");
}

bool will_exist(pg::Session& session, const Outlook& outlook, const TableName& table,
                const std::string& table_sql) {
  if (!outlook.maker_of(table).empty()) return true;
  return outlook.dropper_of(table).empty() && steps::is_existing_table(session, table_sql);
}

}  // namespace

void plan_sql(pg::Session& session, const SqlStep& step, Outlook& outlook, PlannedStep& planned) {
  for (auto statement : ddl_statements(step.up)) {
    const auto analysed = job::analyse_statement(statement.sql);
    const auto* facts = std::get_if<job::StatementFacts>(&analysed);
    const bool is_there =
        facts && facts->table && will_exist(session, outlook, *facts->table, statement.table_sql);
    if (!is_there) statement.table_sql.clear();
    for (const auto& other : facts ? facts->other_locks : std::vector<job::TableLock>{}) {
      if (!will_exist(session, outlook, other.table, sql_of(other.table)))
        std::erase(statement.other_tables_sql, sql_of(other.table));
    }
    for (auto& planned_one : planned_ddl(statement, facts))
      planned.statements.push_back(std::move(planned_one));
    const bool is_new = facts && facts->table && !outlook.maker_of(*facts->table).empty() &&
                        !steps::is_existing_table(session, sql_of(*facts->table));
    if (!is_new) note_long_work(session, facts ? facts->lock : "", statement.sql, planned.notes);
    outlook.add(step.name, statement.sql);
  }
  planned.notes.push_back("one transaction; if it does not get its lock in time it is tried again, up to " +
                          std::to_string(steps::kDdlAttempts) + " times");
}

}  // namespace pgsluice::engine
