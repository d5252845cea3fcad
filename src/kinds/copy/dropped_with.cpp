#include "kinds/copy/dropped_with.hpp"

#include <algorithm>
#include <variant>

#include "job/sql/table_effects.hpp"
#include "kinds/ddl/outlook.hpp"

namespace pgsluice::engine {
namespace {

bool drops(pg::Session& session, const std::string& sql, const TableName& table) {
  const auto described = job::table_effects(sql);
  const auto* effects = std::get_if<job::TableEffects>(&described);
  if (effects == nullptr || effects->made) return false;
  return std::any_of(effects->tables_dropped.begin(), effects->tables_dropped.end(),
                     [&](const TableName& dropped) { return is_same_table(session, dropped, table); });
}

}  // namespace

std::optional<std::size_t> step_that_drops(pg::Session& session, const TableName& table, std::size_t place,
                                           const Downs& downs) {
  for (std::size_t i = 0; i < place; ++i) {
    const auto& down = downs.at(i);
    if (std::any_of(down.begin(), down.end(), [&](const auto& sql) { return drops(session, sql, table); }))
      return i;
  }
  return std::nullopt;
}

}  // namespace pgsluice::engine
