#include "table/copy/conflict_sql.hpp"

#include <algorithm>

#include "pg/identifier.hpp"
#include "table/copy/copy_sql.hpp"
#include "table/copy/kept_sql.hpp"

namespace pgsluice::engine {
namespace {

constexpr const char* kStage = "pg_temp.pgsluice_stage";

std::vector<std::string> names_of(const Copying& copying) {
  std::vector<std::string> names;
  for (const auto& column : copying.columns) names.push_back(column.name);
  return names;
}

std::vector<std::string> names_beside(const Copying& copying, const std::vector<std::string>& key) {
  std::vector<std::string> others;
  for (const auto& name : names_of(copying)) {
    if (std::find(key.begin(), key.end(), name) == key.end()) others.push_back(name);
  }
  return others;
}

/// "c" = other."c", …
std::string set_from(const std::vector<std::string>& names, const std::string& other) {
  std::string set;
  for (const auto& name : names) {
    const auto quoted = pg::Identifier(name).sql();
    set += (set.empty() ? "" : ", ") + quoted + " = " + other + quoted;
  }
  return set;
}

/// IS DISTINCT FROM has no answer for json, and takes 1.0 for 1.00.
std::string differs(const std::vector<std::string>& names, const std::string& other) {
  return "ROW(" + pg::column_list(names, "present.") + ")::record OPERATOR(pg_catalog.*<>) ROW(" +
         pg::column_list(names, other) + ")::record";
}

std::vector<std::string> key_names(const Copying& copying) {
  std::vector<std::string> names;
  for (const auto& column : copying.key) names.push_back(column.name);
  return names;
}

std::string has_key_of_staged(const Copying& copying, const std::string& alias) {
  std::string equal;
  for (const auto& name : key_names(copying)) {
    const auto quoted = pg::Identifier(name).sql();
    equal += (equal.empty() ? "" : " AND ") + alias + quoted + " = staged." + quoted;
  }
  return equal;
}

std::string replacing(const Copying& copying) {
  const auto others = names_beside(copying, copying.conflict_key);
  const auto conflict = "ON CONFLICT (" + pg::column_list(copying.conflict_key) + ") DO ";
  if (others.empty()) return conflict + "NOTHING";
  return conflict + "UPDATE SET " + set_from(others, "excluded.") + "\nWHERE " + differs(others, "excluded.");
}

/// Whether a staged row finds all that it refers to.
std::string has_parents(const Copying& copying) {
  std::string all;
  for (const auto& reference : copying.references) {
    std::string one;
    std::string equal;
    for (std::size_t i = 0; i < reference.columns.size(); ++i) {
      const auto column = "staged." + pg::Identifier(reference.columns[i]).sql();
      one += column + " IS NULL OR ";
      equal +=
          (i == 0 ? "" : " AND ") + ("parent." + pg::Identifier(reference.keys[i]).sql() + " = " + column);
    }
    const auto exists = "EXISTS (SELECT FROM ";
    all += (all.empty() ? "" : "\n  AND ") +
           ("(" + one + exists + reference.table_sql + " AS parent WHERE " + equal + ")");
    if (reference.table_sql == copying.to.sql())
      all += std::string(" OR ") + exists + kStage + " AS parent WHERE " + equal + ")";
    all += ")";
  }
  return all.empty() ? "true" : all;
}

}  // namespace

std::string is_any_there_sql(const Copying& copying, const std::string& predicate) {
  return "SELECT EXISTS (SELECT FROM " + copying.to.sql() + " WHERE " + predicate + ")";
}

const char* stage_sql() {
  return kStage;
}

std::string make_stage_sql(const Copying& copying) {
  return std::string("CREATE TEMPORARY TABLE pgsluice_stage ON COMMIT DROP AS SELECT ") +
         pg::column_list(names_of(copying)) + " FROM " + copying.to.sql() + " WITH NO DATA";
}

std::string copy_into_stage_sql(const Copying& copying) {
  return copy_in_sql(copying, kStage);
}

std::string insert_staged_sql(const Copying& copying) {
  const auto columns = pg::column_list(names_of(copying));
  // COPY writes an identity column that is GENERATED ALWAYS; an INSERT has to be told.
  auto insert = "INSERT INTO " + copying.to.sql() + " AS present (" + columns +
                ") OVERRIDING SYSTEM VALUE\nSELECT " + columns + " FROM " + kStage;
  if (copying.on_conflict == OnConflict::kSkip) insert += "\nON CONFLICT DO NOTHING";
  if (copying.on_conflict == OnConflict::kUpdate) insert += "\n" + replacing(copying);
  return copying.kept ? keeping_insert_sql(*copying.kept, insert) : insert;
}

std::string take_out_orphans_sql(const Copying& copying) {
  std::string texts;
  for (const auto& name : copying.conflict_key)
    texts += (texts.empty() ? "staged." : ", staged.") + pg::Identifier(name).sql() + "::text";
  return std::string("DELETE FROM ") + kStage + " AS staged WHERE NOT (" + has_parents(copying) +
         ")\nRETURNING " + texts;
}

std::string mend_staged_sql(const Copying& copying) {
  const auto others = names_beside(copying, key_names(copying));
  if (others.empty()) return "";
  return "UPDATE " + copying.to.sql() + " AS present SET " + set_from(others, "staged.") + "\nFROM " +
         kStage + " AS staged\nWHERE " + has_key_of_staged(copying, "present.") + " AND " +
         differs(others, "staged.");
}

std::string insert_missing_sql(const Copying& copying) {
  const auto columns = pg::column_list(names_of(copying));
  const auto insert = "INSERT INTO " + copying.to.sql() + " AS present (" + columns +
                      ") OVERRIDING SYSTEM VALUE\nSELECT " + columns + " FROM " + kStage +
                      " AS staged\nWHERE NOT EXISTS (SELECT FROM " + copying.to.sql() + " AS there WHERE " +
                      has_key_of_staged(copying, "there.") + ")\nON CONFLICT DO NOTHING";
  return copying.kept ? keeping_insert_sql(*copying.kept, insert) : insert;
}

}  // namespace pgsluice::engine
