#include "engine/folder/other_versions.hpp"

#include <algorithm>
#include <array>
#include <chrono>

#include "pg/connection/transaction.hpp"
#include "pg/identifier.hpp"
#include "pg/key.hpp"

namespace pgsluice::engine {
namespace {

// A version table is small and locked for moments; a status must not wait for somebody's migration.
constexpr std::chrono::milliseconds kVersionTimeout{500};

constexpr const char* kTables = R"sql(
SELECT n.nspname, c.relname,
       (SELECT array_agg(a.attname::text ORDER BY a.attname) FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname IN ('alembic_version', 'flyway_schema_history', 'schema_migrations') AND c.relkind IN ('r', 'p')
  AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
ORDER BY n.nspname, c.relname
)sql";

/// How a tool keeps its version: what its table must have, and the query for version and remark.
struct Shape {
  const char* tool;
  const char* table;
  std::vector<std::string> columns;
  const char* select;  // what to read from the table, which is named behind it
  const char* rest;
};

const std::vector<Shape>& shapes() {
  static const std::vector<Shape> all = {
      {"Alembic",
       "alembic_version",
       {"version_num"},
       "SELECT string_agg(version_num::text, ', ' ORDER BY version_num), '' FROM ",
       ""},
      {"Flyway",
       "flyway_schema_history",
       {"installed_rank", "success", "version"},
       "SELECT (array_agg(version::text ORDER BY installed_rank DESC) FILTER (WHERE success AND version IS "
       "NOT "
       "NULL))[1], CASE WHEN NOT coalesce((array_agg(success ORDER BY installed_rank DESC))[1], true) "
       "THEN 'its last change failed' ELSE '' END FROM ",
       ""},
      {"golang-migrate",
       "schema_migrations",
       {"dirty", "version"},
       "SELECT version::text, CASE WHEN dirty THEN 'its last change failed half-way' ELSE '' END FROM ",
       " ORDER BY version DESC LIMIT 1"},
      // Timestamps as text; older ones are plain numbers.
      {"Rails",
       "schema_migrations",
       {"version"},
       "SELECT version::text, '' FROM ",
       " ORDER BY length(version::text) DESC, version::text DESC LIMIT 1"}};
  return all;
}

const Shape* shape_of(const std::string& table, const std::vector<std::string>& columns) {
  const auto& all = shapes();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Shape& shape) {
    return table == shape.table &&
           std::all_of(shape.columns.begin(), shape.columns.end(), [&](const std::string& wanted) {
             return std::find(columns.begin(), columns.end(), wanted) != columns.end();
           });
  });
  return found == all.end() ? nullptr : &*found;
}

OtherVersion read_version(pg::Session& session, const Shape& shape, const std::string& table_sql) {
  OtherVersion found{shape.tool, table_sql, {}, {}};
  try {
    const auto rows = pg::in_transaction(session, {kVersionTimeout, kVersionTimeout, true}, [&] {
      return session.exec(shape.select + table_sql + shape.rest, pg::Params{});
    });
    if (rows.empty()) return found;
    found.version = rows.text(0, 0);
    found.remark = rows.text(0, 1);
  } catch (const pg::Failure& f) {
    if (f.is_connection_lost()) throw;
    found.remark = std::string("cannot be read: ") + f.what();
  }
  return found;
}

}  // namespace

std::string tool_of(const std::string& table, const std::vector<std::string>& columns) {
  const auto* shape = shape_of(table, columns);
  return shape == nullptr ? "" : shape->tool;
}

std::vector<OtherVersion> read_other_versions(pg::Session& session) {
  std::vector<OtherVersion> found;
  const auto rows = session.exec(kTables, pg::Params{});
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto* shape = shape_of(rows.text(i, 1), pg::from_array(rows.text(i, 2)));
    if (shape == nullptr) continue;
    found.push_back(read_version(session, *shape, pg::Identifier(rows.text(i, 0), rows.text(i, 1)).sql()));
  }
  return found;
}

}  // namespace pgsluice::engine
