#include "kinds/undo.hpp"

#include <algorithm>
#include <set>

#include "job/sql/statement.hpp"
#include "job/sql/table_effects.hpp"
#include "kinds/ddl/ddl_statements.hpp"
#include "kinds/ddl/outlook.hpp"
#include "kinds/index/index.hpp"

namespace pgsluice::engine {
namespace {

/// Strikes from `columns` what the statement drops; all of them if it drops the table. True if it dropped
/// any.
bool strike(pg::Session& session, const std::string& sql, const TableName& table,
            std::set<std::string>& columns) {
  const auto before = columns.size();
  const auto analysed = job::analyse_statement(sql);
  const auto described = job::table_effects(sql);
  if (const auto* effects = std::get_if<job::TableEffects>(&described)) {
    for (const auto& dropped : effects->tables_dropped) {
      if (!effects->made && is_same_table(session, dropped, table)) columns.clear();
    }
  }
  const auto* facts = std::get_if<job::StatementFacts>(&analysed);
  if (facts && facts->table && !facts->columns_dropped.empty() &&
      is_same_table(session, *facts->table, table)) {
    for (const auto& column : facts->columns_dropped) columns.erase(column);
  }
  return columns.size() < before;
}

Undo undo_of_sql(const SqlStep& step) {
  if (step.down.empty()) return {false, "it has no `down`"};
  std::string text;
  for (const auto& statement : ddl_statements(step.down)) {
    for (const auto& sql : steps::ddl_texts(statement)) text += (text.empty() ? "" : ";\n") + sql;
  }
  return {true, text};
}

}  // namespace

std::vector<std::size_t> steps_that_take_away(pg::Session& session, const Job& job, std::size_t place) {
  const auto& backfill = std::get<BackfillStep>(job.steps[place]);
  std::set<std::string> columns;
  for (const auto& assignment : backfill.set) columns.insert(assignment.column);
  std::vector<std::size_t> takers;
  for (std::size_t i = 0; i < place; ++i) {
    const auto* sql = std::get_if<SqlStep>(&job.steps[i]);
    if (!sql) continue;
    bool takes = false;
    for (const auto& down : sql->down) takes = strike(session, down, backfill.table, columns) || takes;
    if (takes) takers.push_back(i);
  }
  return columns.empty() ? takers : std::vector<std::size_t>{};
}

Undo undo_of(pg::Session& session, const Job& job, std::size_t place, const std::string& index_sql) {
  const Step& step = job.steps[place];
  if (const auto* sql = std::get_if<SqlStep>(&step)) return undo_of_sql(*sql);
  if (std::holds_alternative<VerifyStep>(step)) return {true, "nothing to undo: it only reads"};
  if (std::holds_alternative<IndexStep>(step)) {
    return {true, steps::drop_index_sql(index_sql) + " (only if this job built it)"};
  }
  if (std::holds_alternative<RetypeStep>(step))
    return {true, "the old columns take their names again, with every write since; until contract"};
  const auto takers = steps_that_take_away(session, job, place);
  if (takers.empty()) return {false, "once rows are changed their old values are not kept"};
  std::string names;
  for (const auto i : takers) names += (names.empty() ? "" : ", ") + ("\"" + step_name(job.steps[i]) + "\"");
  return {true, "nothing of its own: what it set goes when step " + names + " is undone"};
}

}  // namespace pgsluice::engine
