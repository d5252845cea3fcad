#include <algorithm>
#include <set>

#include "kinds/retype/acts/acts.hpp"
#include "kinds/retype/acts/sync_triggers.hpp"
#include "kinds/retype/graph/names.hpp"
#include "kinds/retype/mapping/mapping.hpp"
#include "kinds/retype/mapping/missing_values.hpp"
#include "pg/identifier.hpp"

namespace pgsluice::steps::retype {
namespace {

std::string add_columns(const Retype& retype, const GraphTable& table) {
  std::string sql = "ALTER TABLE " + table.sql();
  const char* separator = " ";
  for (const auto& column : table.columns) {
    // A domain's own default would fill the existing rows.
    sql += separator + ("ADD COLUMN " + pg::Identifier(new_name(column.name)).sql()) + " " + retype.step.to +
           (retype.graph.to.is_domain ? " DEFAULT NULL" : "");
    separator = ", ";
  }
  return sql;
}

/// Fills `columns` of one table in one walk.
Act fill_act(const Retype& retype, const GraphTable& table, const std::vector<std::size_t>& columns) {
  Act act{"fill " + table.sql(), "fill", Act::Kind::kFill, {}, {}};
  act.fill.table = {table.schema, table.name};
  const int number = static_cast<int>(&table - retype.graph.tables.data());
  for (const auto i : columns) {
    const auto& column = table.columns[i];
    const auto own = pg::Identifier(column.name).sql();
    const auto shadow = pg::Identifier(new_name(column.name)).sql();
    act.fill.set.push_back({new_name(column.name), new_value(retype, {number, static_cast<int>(i)}, "")});
    // An expression may turn NULL into a value, and a value into NULL.
    const auto has_value = retype.step.using_sql.empty() ? own : "(" + act.fill.set.back().expression + ")";
    act.fill.where += (act.fill.where.empty() ? "" : " OR ") +
                      (column.is_not_null ? shadow + " IS NULL"
                                          : "(" + has_value + " IS NOT NULL AND " + shadow + " IS NULL)");
  }
  return act;
}

int highest_level(const Graph& graph) {
  int highest = 0;
  for (const auto& table : graph.tables) {
    for (const auto& column : table.columns) highest = std::max(highest, column.level);
  }
  return highest;
}

/// One level of references after another: a child takes its new value from its parent, which must have it
/// first.
std::vector<Act> fill_by_level(const Retype& retype) {
  std::vector<Act> acts;
  for (int level = 0; level <= highest_level(retype.graph); ++level) {
    if (level > 0) {
      // A child written before its parent was filled found no new value, and may not have committed yet.
      acts.push_back({"wait for transactions older than fill " + std::to_string(level),
                      "fill",
                      Act::Kind::kFence,
                      {},
                      {}});
    }
    for (const auto& table : retype.graph.tables) {
      std::vector<std::size_t> columns;
      for (std::size_t i = 0; i < table.columns.size(); ++i) {
        if (table.columns[i].level == level) columns.push_back(i);
      }
      if (columns.empty()) continue;
      acts.push_back(fill_act(retype, table, columns));
      if (level > 0) acts.back().name += ", level " + std::to_string(level);
    }
  }
  return acts;
}

}  // namespace

std::vector<Act> expand_acts(const Retype& retype) {
  std::vector<Act> acts;
  for (const auto& table : retype.graph.tables) {
    Act act{"add columns to " + table.sql(), "expand", Act::Kind::kDdl, {add_columns(retype, table)}, {}};
    for (auto& sql : sync_forward(retype, table)) act.sql.push_back(std::move(sql));
    acts.push_back(std::move(act));
  }
  return acts;
}

std::vector<Act> fill_acts(const Retype& retype) {
  if (!is_by_value(retype.step)) return fill_by_level(retype);
  std::vector<Act> acts;
  for (const auto& table : retype.graph.tables) {
    std::vector<std::size_t> columns(table.columns.size());
    for (std::size_t i = 0; i < columns.size(); ++i) columns[i] = i;
    acts.push_back(fill_act(retype, table, columns));
  }
  return acts;
}

std::vector<Act> missing_value_acts(const Retype& retype) {
  std::vector<Act> acts;
  for (const auto& table : retype.graph.tables) {
    auto sql = look_for_missing_new_values(retype, table);
    if (sql.empty()) continue;
    acts.push_back({"look for rows of " + table.sql() + " without a new value",
                    "fill",
                    Act::Kind::kDdl,
                    {std::move(sql)},
                    {}});
  }
  return acts;
}

}  // namespace pgsluice::steps::retype
