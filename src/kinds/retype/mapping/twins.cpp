#include "kinds/retype/mapping/twins.hpp"

#include <algorithm>

#include "kinds/retype/graph/names.hpp"
#include "pg/identifier.hpp"

namespace pgsluice::steps::retype {
namespace {

bool is_changing(const GraphTable& table, const std::string& column) {
  return std::any_of(table.columns.begin(), table.columns.end(),
                     [&](const GraphColumn& c) { return c.name == column; });
}

std::string named(const GraphTable& table, const std::string& column, const Naming& naming) {
  return is_changing(table, column) ? naming(column) : column;
}

std::string named_list(const GraphTable& table, const std::vector<std::string>& columns,
                       const Naming& naming) {
  std::vector<std::string> names;
  for (const auto& column : columns) names.push_back(named(table, column, naming));
  return "(" + pg::column_list(names) + ")";
}

std::string renamed(const Retype& retype, const GraphTable& table, const std::string& expression,
                    const Naming& naming) {
  std::map<std::string, std::string> names;
  for (const auto& column : table.columns) {
    if (const auto other = naming(column.name); other != column.name) names[column.name] = other;
  }
  return names.empty() ? expression : retype.rename(expression, names);
}

}  // namespace

const JoinedTwin* joined_twin(const Partitioned& of, const Naming& naming) {
  const auto twin = std::find_if(of.joined.begin(), of.joined.end(),
                                 [name = naming(of.name)](const auto& t) { return t.name == name; });
  return twin == of.joined.end() ? nullptr : &*twin;
}

bool is_joined(const Partitioned& of, std::size_t partition, const Naming& naming) {
  const auto* twin = joined_twin(of, naming);
  return twin && !twin->parts[partition].empty();
}

std::string part_name(const Partitioned& of, std::size_t partition, const Naming& naming) {
  return is_joined(of, partition, naming) ? joined_twin(of, naming)->parts[partition]
                                          : naming(of.of_partitions[partition]);
}

std::string index_twin_sql(const Retype& retype, const GraphTable& table, const GraphIndex& index,
                           const IndexPlace& place, const std::string& name, const Naming& naming) {
  std::string keys;
  std::string included;
  for (std::size_t i = 0; i < index.parts.size(); ++i) {
    const auto& part = index.parts[i];
    auto& list = static_cast<int>(i) < index.key_parts ? keys : included;
    const auto text = part.is_column ? pg::Identifier(named(table, part.sql, naming)).sql()
                                     : "(" + renamed(retype, table, part.sql, naming) + ")";
    list += (list.empty() ? "" : ", ") + text + part.suffix;
  }
  std::string sql = std::string("CREATE ") + (index.is_unique ? "UNIQUE " : "") + "INDEX " + place.how +
                    pg::Identifier(name).sql() + " ON " + place.on + " USING " +
                    pg::Identifier(index.method).sql() + " (" + keys + ")";
  if (!included.empty()) sql += " INCLUDE (" + included + ")";
  if (index.is_nulls_not_distinct) sql += " NULLS NOT DISTINCT";
  if (!index.options.empty()) sql += " WITH (" + index.options + ")";
  if (!index.tablespace.empty()) sql += " TABLESPACE " + pg::Identifier(index.tablespace).sql();
  if (!index.predicate.empty()) sql += " WHERE " + renamed(retype, table, index.predicate, naming);
  return sql;
}

std::string foreign_key_twin_sql(const Retype& retype, const GraphForeignKey& key, const std::string& on,
                                 const std::string& name, const Naming& naming) {
  const auto& table = retype.table(key.table);
  const auto& parent = retype.table(key.ref_table);
  std::string sql = "ALTER TABLE " + on + " ADD CONSTRAINT " + pg::Identifier(name).sql() + " FOREIGN KEY " +
                    named_list(table, key.columns, naming) + " REFERENCES " + parent.sql() + " " +
                    named_list(parent, key.ref_columns, naming) + key.rules + key.on_delete;
  if (!key.on_delete_columns.empty()) sql += " " + named_list(table, key.on_delete_columns, naming);
  if (key.is_deferrable) sql += key.is_deferred ? " DEFERRABLE INITIALLY DEFERRED" : " DEFERRABLE";
  return sql;
}

std::string check_twin_expression(const Retype& retype, const GraphTable& table, const GraphCheck& check,
                                  const Naming& naming) {
  return renamed(retype, table, check.expression, naming);
}

}  // namespace pgsluice::steps::retype
