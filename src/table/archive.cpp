#include "table/archive.hpp"

#include <algorithm>

#include "pg/catalog/swallowers.hpp"
#include "pg/identifier.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::engine {
namespace {

// The archive, if it is there, and whether it is of the purged table: itself, a part of it, or above it.
constexpr const char* kTarget = R"sql(
WITH RECURSIVE below(oid) AS (
  SELECT $2::oid UNION SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN below b ON b.oid = i.inhparent
), above(oid) AS (
  SELECT $2::oid UNION SELECT i.inhparent FROM pg_catalog.pg_inherits i JOIN above a ON a.oid = i.inhrelid
)
SELECT c.oid, n.nspname, c.relname, c.relkind, c.relpersistence,
       c.oid IN (SELECT oid FROM below UNION ALL SELECT oid FROM above),
       p.relpersistence
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN (SELECT relpersistence FROM pg_catalog.pg_class WHERE oid = $2::oid) p
WHERE c.oid = pg_catalog.to_regclass($1)
)sql";

// Whether both columns are there, and with which types; a generated column of the archive takes no value.
constexpr const char* kColumns = R"sql(
SELECT coalesce(s.attname, d.attname), s.attname IS NOT NULL, d.attname IS NOT NULL,
       coalesce(pg_catalog.format_type(s.atttypid, s.atttypmod), ''),
       coalesce(pg_catalog.format_type(d.atttypid, d.atttypmod), ''),
       coalesce(CASE WHEN s.attcollation <> t.typcollation
                     THEN ' COLLATE ' || pg_catalog.quote_ident(cn.nspname) || '.' || pg_catalog.quote_ident(co.collname) END, ''),
       coalesce(d.attgenerated <> '', false), coalesce(s.attgenerated <> '', false), coalesce(d.attidentity = 'a', false),
       coalesce(d.attnotnull AND NOT d.atthasdef AND d.attidentity = '', false),
       pg_catalog.pg_get_expr(sd.adbin, sd.adrelid) IS NOT DISTINCT FROM pg_catalog.pg_get_expr(dd.adbin, dd.adrelid)
FROM (SELECT * FROM pg_catalog.pg_attribute WHERE attrelid = $1::oid AND attnum > 0 AND NOT attisdropped) s
FULL JOIN (SELECT * FROM pg_catalog.pg_attribute WHERE attrelid = $2::oid AND attnum > 0 AND NOT attisdropped) d
  ON d.attname = s.attname
LEFT JOIN pg_catalog.pg_attrdef sd ON sd.adrelid = s.attrelid AND sd.adnum = s.attnum
LEFT JOIN pg_catalog.pg_attrdef dd ON dd.adrelid = d.attrelid AND dd.adnum = d.attnum
LEFT JOIN pg_catalog.pg_type t ON t.oid = s.atttypid
LEFT JOIN pg_catalog.pg_collation co ON co.oid = s.attcollation
LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace
ORDER BY coalesce(s.attnum, 0), d.attnum
)sql";

/// What a table's columns are: names, types and order.
std::string columns_sql(std::uint32_t oid) {
  return "(SELECT pg_catalog.md5(string_agg(a.attname || ' ' || a.atttypid || ' ' || a.atttypmod, ',' ORDER "
         "BY a.attnum))"
         " FROM pg_catalog.pg_attribute a WHERE a.attrelid = " +
         std::to_string(oid) + " AND a.attnum > 0 AND NOT a.attisdropped)";
}

[[noreturn]] void refuse(const std::string& archive, const std::string& why, const std::string& hint) {
  throw Error(ExitCode::kRefused, "archive " + archive + " " + why, hint);
}

/// LIKE alone: no defaults, identities, constraints or indexes, which an archive does not need and which
/// could keep a row out.
Archive archive_to_make(const pg::Table& table, const TableName& name) {
  Archive archive;
  archive.table_sql = pg::Identifier(name.schema, name.name).sql();
  archive.preparing = {"CREATE TABLE IF NOT EXISTS " + archive.table_sql + " (LIKE " + table.sql() + ")"};
  for (const auto& column : table.columns) archive.columns.push_back(column.name);
  return archive;
}

void check_kind(const pg::Rows& target, const std::string& sql) {
  const auto kind = target.text(0, 3);
  if (target.boolean(0, 5))
    refuse(sql, "is the purged table, or a part of it", "name another table in `archive_to`");
  if (kind != "r" && kind != "p") refuse(sql, "is not a table", "name a table in `archive_to`");
  const auto persistence = target.text(0, 4);
  if (persistence == "t") refuse(sql, "is a temporary table", "name a table that stays");
  if (persistence == "u" && target.text(0, 6) == "p")
    refuse(sql, "is unlogged: a crash of the server would empty it while the deleted rows stay deleted",
           "ALTER TABLE " + sql + " SET LOGGED");
}

void check_writes(pg::Session& session, std::uint32_t oid, const std::string& sql) {
  const auto found = pg::read_swallowers(session, oid, pg::RowEvent::kInsert);
  if (!found.triggers.empty())
    refuse(sql,
           "has trigger " + pg::Identifier(found.triggers.front()).sql() +
               " before its INSERTs, which may change rows or keep them out",
           "disable or drop it: the deleted rows would not be there as they were");
  if (!found.rules.empty())
    refuse(sql, "has rule " + pg::Identifier(found.rules.front().name).sql() + " on its INSERTs",
           "drop it: the deleted rows would not be there as they were");
}

Archive read_columns(pg::Session& session, const pg::Table& table, const TableName& name) {
  const auto wanted = pg::Identifier(name.schema, name.name).sql();
  const auto target = session.exec(kTarget, {wanted, std::to_string(table.oid)});
  if (target.empty()) return archive_to_make(table, name);
  Archive archive;
  archive.table_sql = pg::Identifier(target.text(0, 1), target.text(0, 2)).sql();
  const auto& sql = archive.table_sql;
  const auto oid = static_cast<std::uint32_t>(target.integer(0, 0));
  check_kind(target, sql);
  check_writes(session, oid, sql);
  std::string adding;
  const auto columns = session.exec(kColumns, {std::to_string(table.oid), std::to_string(oid)});
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const auto column = pg::Identifier(columns.text(i, 0)).sql();
    const bool is_in_table = columns.boolean(i, 1);
    const bool is_in_archive = columns.boolean(i, 2);
    if (!is_in_table) {
      if (columns.boolean(i, 9))
        refuse(sql, "has column " + column + ", which must have a value and is not in " + table.sql(),
               "give it a default, or DROP NOT NULL");
      continue;
    }
    if (!is_in_archive) {
      adding += (adding.empty() ? " ADD COLUMN " : ", ADD COLUMN ") + column + " " + columns.text(i, 3) +
                columns.text(i, 5);
    } else if (columns.boolean(i, 6)) {
      if (columns.boolean(i, 7) && columns.boolean(i, 10)) continue;  // computed there as it is here
      refuse(sql,
             "computes column " + column +
                 (columns.boolean(i, 7) ? " otherwise than " + table.sql() : " itself"),
             "DROP EXPRESSION of that column");
    } else if (columns.text(i, 3) != columns.text(i, 4)) {
      refuse(sql,
             "has column " + column + " as " + columns.text(i, 4) + ", but " + table.sql() + " as " +
                 columns.text(i, 3),
             "make the types equal: a value could change on its way");
    }
    archive.overrides_identity = archive.overrides_identity || columns.boolean(i, 8);
    archive.columns.push_back(columns.text(i, 0));
  }
  if (!adding.empty()) archive.preparing = {"ALTER TABLE " + sql + adding};
  return archive;
}

}  // namespace

Archive read_archive(pg::Session& session, const pg::Table& table, const TableName& name) {
  const auto columns = columns_sql(table.oid);
  const auto before = session.exec("SELECT " + columns).text(0, 0);
  auto archive = read_columns(session, table, name);
  archive.is_unchanged_sql = columns + " = '" + before + "'";
  return archive;
}

}  // namespace pgsluice::engine
