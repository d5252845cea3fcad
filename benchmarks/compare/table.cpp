#include "compare/table.hpp"

#include <sstream>

namespace pgsluice::bench {
namespace {

// What is changed, the last column of each table.
constexpr const char* kChanged = "onboarding_completed";

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const auto& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

/// The first word of each definition.
void add_names(std::vector<std::string>& names, const std::string& definitions) {
  std::istringstream parts(definitions);
  std::string part, name;
  while (std::getline(parts, part, ',')) {
    std::istringstream(part) >> name;
    names.push_back(name);
  }
}

}  // namespace

std::string key_list(const Table& table) {
  return joined(table.key);
}

std::string create_sql(const Table& table) {
  const auto key = table.key.empty() ? "" : ", PRIMARY KEY (" + key_list(table) + ")";
  std::string sql = "CREATE TABLE users (" + table.key_columns + ", " + table.columns + ", " + kChanged +
                    " boolean" + key + ") WITH (fillfactor = " + std::to_string(table.fillfactor) + "); ";
  if (!table.storage.empty()) sql += "ALTER TABLE users " + table.storage + "; ";
  sql += "INSERT INTO users SELECT " + table.key_values + ", " + table.values +
         ", NULL FROM generate_series(1, " + std::to_string(table.rows) + ") AS i; ";
  for (const auto& column : table.indexes) sql += "CREATE INDEX ON users (" + column + "); ";
  return sql;
}

std::vector<std::string> column_names(const Table& table) {
  std::vector<std::string> names;
  add_names(names, table.key_columns);
  add_names(names, table.columns);
  names.emplace_back(kChanged);
  return names;
}

}  // namespace pgsluice::bench
