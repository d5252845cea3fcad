#include "table/copy/conflict_sql.hpp"

#include <algorithm>

#include "pg/identifier.hpp"
#include "table/copy/copy_sql.hpp"

namespace pgsluice::engine {
namespace {

constexpr const char* kStage = "pg_temp.pgsluice_stage";

std::vector<std::string> names_of(const Copying& copying) {
  std::vector<std::string> names;
  for (const auto& column : copying.columns) names.push_back(column.name);
  return names;
}

std::string replacing(const Copying& copying) {
  std::vector<std::string> others;
  for (const auto& name : names_of(copying)) {
    const auto& key = copying.conflict_key;
    if (std::find(key.begin(), key.end(), name) == key.end()) others.push_back(name);
  }
  const auto conflict = "ON CONFLICT (" + pg::column_list(copying.conflict_key) + ") DO ";
  if (others.empty()) return conflict + "NOTHING";
  std::string set;
  for (const auto& name : others) {
    const auto quoted = pg::Identifier(name).sql();
    set += (set.empty() ? "" : ", ") + quoted + " = excluded." + quoted;
  }
  // IS DISTINCT FROM has no answer for json, and takes 1.0 for 1.00.
  return conflict + "UPDATE SET " + set + "\nWHERE ROW(" + pg::column_list(others, "present.") +
         ")::record OPERATOR(pg_catalog.*<>) ROW(" + pg::column_list(others, "excluded.") + ")::record";
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
  return "INSERT INTO " + copying.to.sql() + " AS present (" + columns +
         ") OVERRIDING SYSTEM VALUE\nSELECT " + columns + " FROM " + kStage + "\n" +
         (copying.on_conflict == OnConflict::kSkip ? "ON CONFLICT DO NOTHING" : replacing(copying));
}

}  // namespace pgsluice::engine
