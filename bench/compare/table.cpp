#include "compare/table.hpp"

#include <sstream>

namespace pgsluice::bench {
namespace {

constexpr const char* kColumns =
    "email text, name text, created_at timestamptz, plan int, onboarding_completed boolean";
constexpr const char* kValues =
    "'user' || i || '@example.com', 'Some Name ' || i, timestamptz '2020-01-01 00:00:00+00' + i * interval "
    "'1 minute', i % 7, NULL";

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
  const auto more_columns = table.more_columns.empty() ? "" : ", " + table.more_columns;
  const auto more_values = table.more_values.empty() ? "" : ", " + table.more_values;
  const auto key = table.key.empty() ? "" : ", PRIMARY KEY (" + key_list(table) + ")";
  std::string sql = "CREATE TABLE users (" + table.key_columns + ", " + kColumns + more_columns + key +
                    ") WITH (fillfactor = " + std::to_string(table.fillfactor) +
                    "); INSERT INTO users SELECT " + table.key_values + ", " + kValues + more_values +
                    " FROM generate_series(1, " + std::to_string(table.rows) + ") AS i; ";
  for (const auto& column : table.indexes) sql += "CREATE INDEX ON users (" + column + "); ";
  return sql;
}

std::vector<std::string> column_names(const Table& table) {
  std::vector<std::string> names;
  for (const std::string& definitions : {table.key_columns, std::string(kColumns), table.more_columns}) {
    add_names(names, definitions);
  }
  return names;
}

}  // namespace pgsluice::bench
