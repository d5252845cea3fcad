#include "kinds/retype/mapping/collisions.hpp"

#include <algorithm>
#include <set>

#include "kinds/retype/graph/names.hpp"
#include "kinds/retype/mapping/mapping.hpp"
#include "kinds/retype/mapping/twins.hpp"
#include "pg/identifier.hpp"

namespace pgsluice::steps::retype {
namespace {

/// True: values that are equal in one of the types are equal in the other.
bool compares_alike(const std::string& one, const std::string& other) {
  static const std::set<std::string> kIntegers{"smallint", "integer", "bigint"};
  static const std::set<std::string> kTexts{"text", "character varying"};
  return one == other || (kIntegers.count(one) && kIntegers.count(other)) ||
         (kTexts.count(one) && kTexts.count(other));
}

bool compares_alike(const Retype& retype, const GraphColumn& column) {
  return retype.step.using_sql.empty() && retype.step.back_sql.empty() &&
         compares_alike(column.old_type.base_sql, retype.graph.to.base_sql);
}

const GraphColumn* changing(const GraphTable& table, const std::string& name) {
  const auto at = std::find_if(table.columns.begin(), table.columns.end(),
                               [&](const GraphColumn& column) { return column.name == name; });
  return at == table.columns.end() ? nullptr : &*at;
}

bool has_column_in_doubt(const Retype& retype, const GraphTable& table, const GraphIndex& index) {
  return index.is_unique && std::any_of(index.parts.begin(), index.parts.end(), [&](const auto& part) {
           const auto* column = part.is_column ? changing(table, part.sql) : nullptr;
           return column && !compares_alike(retype, *column);
         });
}

/// The values that the new index will compare; empty if one of its parts is an expression.
std::string new_values(const Retype& retype, const GraphTable& table, const GraphIndex& index) {
  std::string list;
  const int number = static_cast<int>(&table - retype.graph.tables.data());
  for (int i = 0; i < index.key_parts; ++i) {
    const auto& part = index.parts[static_cast<std::size_t>(i)];
    if (!part.is_column) return {};
    const auto* column = changing(table, part.sql);
    const Place place{number, column ? static_cast<int>(column - table.columns.data()) : 0};
    list += (list.empty() ? "(" : "), (") +
            (column ? new_value_exactly(retype, place) : pg::Identifier(part.sql).sql());
  }
  return list + ")";
}

std::string name_of(const GraphTable& table, const GraphIndex& index) {
  return "unique index " + pg::Identifier(index.name).sql() + " of table " + table.sql();
}

}  // namespace

std::vector<Question> questions_of_collisions(const Retype& retype) {
  std::vector<Question> out;
  if (retype.step.mapping != Mapping::kUsing) return out;
  for (const auto& table : retype.graph.tables) {
    for (const auto& index : table.indexes) {
      const auto values = new_values(retype, table, index);
      if (values.empty() || !has_column_in_doubt(retype, table, index)) continue;
      // NULLs never collide; where they do (NULLS NOT DISTINCT), they did so before.
      std::string filled;
      for (int i = 0; i < index.key_parts; ++i)
        filled += (i ? " AND " : "") + pg::Identifier(index.parts[static_cast<std::size_t>(i)].sql).sql() +
                  " IS NOT NULL";
      out.push_back({name_of(table, index),
                     "SELECT count(*) FROM (SELECT FROM " + table.sql() + " WHERE " + filled +
                         (index.predicate.empty() ? "" : " AND (" + index.predicate + ")") + " GROUP BY " +
                         values + " HAVING count(*) > 1 LIMIT 1) AS pgsluice_collisions"});
    }
  }
  return out;
}

std::vector<Question> questions_of_checks(const Retype& retype) {
  std::vector<Question> out;
  if (retype.step.mapping != Mapping::kUsing || retype.step.using_sql.empty()) return out;
  for (std::size_t t = 0; t < retype.graph.tables.size(); ++t) {
    const auto& table = retype.graph.tables[t];
    std::string rows = "SELECT pgsluice_old.*";
    for (std::size_t c = 0; c < table.columns.size(); ++c)
      rows += ", " + new_value_exactly(retype, {static_cast<int>(t), static_cast<int>(c)}) + " AS " +
              pg::Identifier(new_name(table.columns[c].name)).sql();
    rows += " FROM " + table.sql() + " AS pgsluice_old";
    for (const auto& check : table.checks) {
      if (!check.is_validated) continue;
      out.push_back({"constraint " + pg::Identifier(check.name).sql() + " of table " + table.sql(),
                     "SELECT count(*) FROM (" + rows + ") AS pgsluice_row WHERE (" +
                         check_twin_expression(retype, table, check, new_name) + ") IS FALSE"});
    }
  }
  return out;
}

std::vector<std::string> coarser_before(const Retype& retype) {
  std::vector<std::string> out;
  if (!is_back_by_value(retype.step)) return out;
  for (const auto& table : retype.graph.tables) {
    for (const auto& index : table.indexes) {
      if (has_column_in_doubt(retype, table, index)) out.push_back(name_of(table, index));
    }
  }
  return out;
}

}  // namespace pgsluice::steps::retype
