#include "table/follow/apply_sql.hpp"

#include "pg/identifier.hpp"
#include "table/copy/conflict_sql.hpp"

namespace pgsluice::engine {
namespace {

std::string quoted(const std::string& name) {
  return pg::Identifier(name).sql();
}

std::string numbered(std::size_t place) {
  return "key_" + std::to_string(place + 1);
}

/// "gone(…) AS (…)": the target's form of keys, one text[] parameter a column.
std::string gone(const Following& f) {
  std::string arrays;
  std::string names;
  for (std::size_t i = 0; i < f.target_key.size(); ++i) {
    const std::string comma = i == 0 ? "" : ", ";
    arrays += comma + "pg_catalog.unnest($" + std::to_string(i + 1) + "::" + f.target_key[i].type + "[])";
    names += comma + "\"pgsluice " + std::to_string(i + 1) + "\"";
  }
  return "gone(" + names + ") AS (SELECT * FROM ROWS FROM (" + arrays + ") AS keys)";
}

std::string is_gone(const Following& f, const std::string& alias) {
  std::string equal;
  for (std::size_t i = 0; i < f.target_key.size(); ++i)
    equal += (i == 0 ? "" : " AND ") + alias + "." + quoted(f.target_key[i].name) + " = gone.\"pgsluice " +
             std::to_string(i + 1) + "\"";
  return equal;
}

}  // namespace

std::string delete_keys_sql(const FollowedTables& tables, std::size_t place) {
  const auto& f = tables[place];
  std::string kept;
  for (const auto& child : tables) {
    const bool is_itself = &child == &f;
    for (const auto& reference : child.copying.references) {
      if (reference.table_sql != f.copying.to.sql()) continue;
      std::string refers;
      for (std::size_t i = 0; i < reference.columns.size(); ++i)
        refers += (i == 0 ? "" : " AND ") +
                  ("child." + quoted(reference.columns[i]) + " = present." + quoted(reference.keys[i]));
      kept += "\n  AND NOT EXISTS (SELECT FROM " + child.copying.to.sql() + " AS child WHERE " + refers;
      if (is_itself) kept += " AND NOT (" + is_gone(f, "child") + ")";
      kept += ")";
    }
  }
  return "WITH " + gone(f) + "\nDELETE FROM " + f.copying.to.sql() + " AS present USING gone WHERE " +
         is_gone(f, "present") + kept;
}

std::string absent_keys_sql(const Following& f) {
  const auto columns = f.target_key.size();
  std::string lists[2];
  std::string names[2];
  std::string equal;
  for (std::size_t i = 0; i < 2 * columns; ++i) {
    const auto side = i / columns;
    const auto& column = f.target_key[i % columns];
    const std::string comma = i % columns == 0 ? "" : ", ";
    lists[side] += comma + "pg_catalog.unnest($" + std::to_string(i + 1) + "::" + column.type + "[])";
    names[side] += comma + numbered(i % columns);
  }
  for (std::size_t i = 0; i < columns; ++i)
    equal += (i == 0 ? "live." : " AND live.") + numbered(i) + " = gone." + numbered(i);
  return "SELECT gone.place - 1 FROM ROWS FROM (" + lists[0] + ") WITH ORDINALITY AS gone(" + names[0] +
         ", place)\nWHERE NOT EXISTS (SELECT FROM ROWS FROM (" + lists[1] + ") AS live(" + names[1] +
         ") WHERE " + equal + ")";
}

std::string present_keys_sql(const Following& f) {
  std::string texts;
  for (const auto& column : f.target_key)
    texts += (texts.empty() ? "present." : ", present.") + quoted(column.name) + "::text";
  return "WITH " + gone(f) + "\nSELECT " + texts + " FROM " + f.copying.to.sql() +
         " AS present JOIN gone ON " + is_gone(f, "present");
}

std::string replace_staged_sql(const Following& f) {
  std::string equal;
  for (const auto& column : f.target_key) {
    const auto name = quoted(column.name);
    equal += (equal.empty() ? "" : " AND ") + ("present." + name + " = staged." + name);
  }
  std::string columns;
  for (const auto& column : f.copying.columns) columns += (columns.empty() ? "" : ", ") + quoted(column.name);
  // The INSERT asks for the count, so every row is gone before the first one is written.
  return "WITH gone AS (\n  DELETE FROM " + f.copying.to.sql() + " AS present USING " + stage_sql() +
         " AS staged\n  WHERE " + equal + " RETURNING 1)\nINSERT INTO " + f.copying.to.sql() + " (" +
         columns + ") OVERRIDING SYSTEM VALUE\nSELECT " + columns + " FROM " + stage_sql() +
         "\nWHERE (SELECT count(*) FROM gone) >= 0";
}

}  // namespace pgsluice::engine
