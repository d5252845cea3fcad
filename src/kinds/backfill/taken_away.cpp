#include "kinds/backfill/taken_away.hpp"

#include <set>

#include "job/sql/statement.hpp"
#include "job/sql/table_effects.hpp"
#include "kinds/ddl/outlook.hpp"

namespace pgsluice::engine {
namespace {

/// Removes from `columns` what the statement drops: all of them if it drops the table. True if it dropped
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

}  // namespace

std::vector<std::size_t> steps_that_take_away(pg::Session& session, const BackfillStep& backfill,
                                              std::size_t place, const Downs& downs) {
  std::set<std::string> columns;
  for (const auto& assignment : backfill.set) columns.insert(assignment.column);
  std::vector<std::size_t> takers;
  for (std::size_t i = 0; i < place; ++i) {
    bool takes = false;
    for (const auto& down : downs.at(i)) takes = strike(session, down, backfill.table, columns) || takes;
    if (takes) takers.push_back(i);
  }
  return columns.empty() ? takers : std::vector<std::size_t>{};
}

}  // namespace pgsluice::engine
