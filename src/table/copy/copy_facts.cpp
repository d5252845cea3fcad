#include "table/copy/copy_facts.hpp"

#include <algorithm>

#include "pg/connection/transaction.hpp"
#include "pg/identifier.hpp"
#include "pgsluice/error.hpp"
#include "table/copy/copy_line.hpp"
#include "table/copy/copy_sql.hpp"
#include "table/table_facts.hpp"

namespace pgsluice::engine {
namespace {

constexpr int kVersionMin = 120000;
// Of the rows that are tried beforehand.
constexpr std::size_t kTriedBytes = 1'048'576;

constexpr const char* kColumns = R"sql(
SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull,
       a.atthasdef AND a.attgenerated = '' OR a.attidentity <> '', a.attgenerated <> '',
       (SELECT t.typnamespace = 'pg_catalog'::regnamespace FROM pg_catalog.pg_type t WHERE t.oid = a.atttypid),
       pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(s.relname),
       pg_catalog.has_sequence_privilege(s.oid, 'UPDATE') AND pg_catalog.has_sequence_privilege(s.oid, 'SELECT')
FROM pg_catalog.pg_attribute a
LEFT JOIN LATERAL (
  SELECT d.objid AS oid FROM pg_catalog.pg_depend d
  WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
    AND d.refobjid = a.attrelid AND d.refobjsubid = a.attnum AND d.deptype IN ('a', 'i')
  UNION ALL
  SELECT d.refobjid FROM pg_catalog.pg_attrdef f
  JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.objid = f.oid
    AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid <> a.attrelid
  WHERE f.adrelid = a.attrelid AND f.adnum = a.attnum
) used ON EXISTS (SELECT FROM pg_catalog.pg_class k WHERE k.oid = used.oid AND k.relkind = 'S')
LEFT JOIN pg_catalog.pg_class s ON s.oid = used.oid
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace
WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
)sql";

// tgtype bit 2 is INSERT; 'D' means disabled, 'R' fires on replicas only.
constexpr const char* kInsertTriggers = R"sql(
SELECT DISTINCT tgname FROM pg_catalog.pg_trigger
WHERE tgrelid = $1::oid AND NOT tgisinternal AND tgenabled IN ('O', 'A') AND tgtype & 4 <> 0
ORDER BY tgname
)sql";

constexpr const char* kForeignKeys = R"sql(
SELECT pg_catalog.quote_ident(c.conname) || ' to ' || c.confrelid::regclass::text
FROM pg_catalog.pg_constraint c WHERE c.conrelid = $1::oid AND c.contype = 'f' ORDER BY c.conname
)sql";

constexpr const char* kMayInsert = R"sql(
SELECT pg_catalog.has_table_privilege($1::oid, 'INSERT')
   OR NOT EXISTS (SELECT FROM unnest($2::text[]) AS n(name)
                  WHERE NOT pg_catalog.has_column_privilege($1::oid, n.name, 'INSERT'))
)sql";

std::vector<ColumnFacts> read_columns(pg::Session& session, std::uint32_t table_oid) {
  const auto rows = session.exec(kColumns, {std::to_string(table_oid)});
  std::vector<ColumnFacts> columns;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!columns.empty() && columns.back().name == rows.text(i, 0)) continue;  // another sequence of it
    columns.push_back({rows.text(i, 0), rows.text(i, 1), rows.boolean(i, 2), rows.boolean(i, 3),
                       rows.boolean(i, 4), rows.boolean(i, 5), rows.text(i, 6),
                       rows.is_null(i, 7) || rows.boolean(i, 7)});
  }
  return columns;
}

std::vector<std::string> read_texts(pg::Session& session, const char* sql, std::uint32_t table_oid) {
  const auto rows = session.exec(sql, {std::to_string(table_oid)});
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < rows.size(); ++i) texts.push_back(rows.text(i, 0));
  return texts;
}

bool is_without_encoding(pg::Session& session) {
  return session.exec("SHOW server_encoding").text(0, 0) == "SQL_ASCII";
}

void refuse_unfit_target(pg::Session& target, const pg::Table& table, const MatchedColumns& matched) {
  const auto name = "table " + table.sql();
  if (table.kind != "r" && table.kind != "p")
    throw Error(ExitCode::kRefused, name + " cannot be copied into: it is not a table",
                "name the table itself");
  if (table.row_security_applies)
    throw Error(ExitCode::kPrivileges, "row security of " + name + " applies to this role: COPY is refused",
                "run as a role with BYPASSRLS, or as the table's owner");
  std::vector<std::string> names;
  for (const auto& column : matched.columns) names.push_back(column.name);
  if (!target.exec(kMayInsert, {std::to_string(table.oid), pg::to_array(names)}).boolean(0, 0))
    throw Error(ExitCode::kPrivileges, "this role may not insert into " + name,
                "GRANT INSERT ON " + table.sql() + " to it");
}

void refuse_old(pg::Session& source) {
  if (source.server_version() >= kVersionMin) return;
  throw Error(ExitCode::kRefused,
              "the source is PostgreSQL " + std::to_string(source.server_version() / 10'000) +
                  ", older than the oldest that can be copied from",
              "upgrade it to 12 or later");
}

/// Bytes of a whole number's type; 0: it is none.
int integer_width(const std::string& type) {
  if (type == "pg_catalog.int2") return 2;
  if (type == "pg_catalog.int4") return 4;
  return type == "pg_catalog.int8" ? 8 : 0;
}

/// Whether the target can be asked for a slice of the source's key: a value of the source has the same place
/// in the same order there.
bool orders_alike(const pg::Column& source, const pg::Column& target) {
  const int width = integer_width(source.type);
  if (width > 0 && integer_width(target.type) >= width) return true;
  return target.type == source.type && source.collation.empty() && source.type.starts_with("pg_catalog.");
}

/// A collation may order texts differently on another server, and a type of the same name may be another one.
std::vector<pg::Column> key_at_target(const Copying& copying) {
  std::vector<pg::Column> key;
  for (const auto& column : copying.key) {
    const auto same =
        std::find_if(copying.columns.begin(), copying.columns.end(), [&](const CopiedColumn& c) {
          return c.is_plain && c.expression == pg::Identifier(column.name).sql();
        });
    if (same == copying.columns.end()) return {};
    const auto* there = copying.to.find(same->name);
    if (there == nullptr || !orders_alike(column, *there)) return {};
    key.push_back(*there);
  }
  return key;
}

std::vector<std::string> conflict_key_of(const Copying& copying) {
  for (const auto& key : copying.to.keys) {
    if (!key.unfit_reason.empty()) continue;
    const bool is_copied = std::all_of(key.columns.begin(), key.columns.end(), [&](const std::string& name) {
      return std::any_of(copying.columns.begin(), copying.columns.end(),
                         [&](const CopiedColumn& c) { return c.name == name; });
    });
    if (is_copied) return key.columns;
  }
  throw Error(ExitCode::kRefused,
              "table " + copying.to.sql() +
                  " has no unique key whose columns are copied: on_conflict = \"update\" "
                  "could not tell which row to replace",
              "add a primary key or a unique index on NOT NULL columns, or use on_conflict = \"skip\"");
}

std::string tried_lines(pg::Session& source, const Copying& copying) try {
  std::string lines;
  source.exec(begin_source_sql(copying));
  source.copy_out(read_tried_sql(copying), [&](std::string_view line) {
    lines += after_fields(line, copying.key.size());
    return lines.size() < kTriedBytes;
  });
  pg::rollback(source);
  return lines;
} catch (const pg::Failure& f) {
  if (f.is_connection_lost() || f.disposition() == pg::Disposition::kRetryable) throw;
  pg::rollback(source);
  throw Error(f.sqlstate() == pg::kInsufficientPrivilege ? ExitCode::kPrivileges : ExitCode::kRefused,
              copying.source_in_words() + " cannot be read: " + f.what(),
              "check `where`, the expressions in `columns`, and what the role may SELECT there");
}

}  // namespace

std::optional<pg::ConnectionTarget> source_of(const CopyStep& step) {
  if (step.from_dsn.empty()) return std::nullopt;
  return pg::ConnectionTarget(step.from_dsn);
}

CopyFacts read_copy_facts(pg::Session& source, pg::Session& target, const CopyStep& step) {
  refuse_old(source);
  CopyFacts facts;
  auto& copying = facts.copying;
  copying.source = source_of(step);
  copying.from = read_facts(source, step.from).table;
  copying.to = read_facts(target, step.to).table;
  if (copying.from.row_security_applies)
    throw Error(ExitCode::kPrivileges,
                "row security of " + copying.source_in_words() +
                    " applies to this role: rows would be left out unnoticed",
                "read as a role with BYPASSRLS, or as the table's owner");
  copying.key = pg::choose_key(copying.from, {});
  const auto columns = read_columns(target, copying.to.oid);
  facts.matched = match_columns(step, read_columns(source, copying.from.oid), columns);
  refuse_unfit_target(target, copying.to, facts.matched);
  copying.columns = facts.matched.columns;
  copying.sequences = sequences_of(copying.columns, columns);
  copying.where = step.where;
  copying.target_key = key_at_target(copying);
  if (step.on_conflict == OnConflict::kUpdate) copying.conflict_key = conflict_key_of(copying);
  copying.on_conflict = step.on_conflict;
  copying.is_source_without_encoding = is_without_encoding(source);
  copying.is_target_without_encoding = is_without_encoding(target);
  facts.triggers = read_texts(target, kInsertTriggers, copying.to.oid);
  facts.foreign_keys = read_texts(target, kForeignKeys, copying.to.oid);
  return facts;
}

void try_copy(pg::Session& source, pg::Session& target, const Copying& copying) {
  const auto lines = tried_lines(source, copying);
  try {
    target.exec(pg::begin_sql({}) + target_settings(copying));
    target.exec(make_tried_sql(copying));
    target.copy_in(copy_into_tried_sql(copying), lines);
    pg::rollback(target);
  } catch (const pg::Failure& f) {
    if (f.is_connection_lost() || f.disposition() == pg::Disposition::kRetryable) throw;
    pg::rollback(target);
    // Without the right to make a temporary table the first batch finds out.
    if (f.sqlstate() == pg::kInsufficientPrivilege) return;
    throw Error(ExitCode::kRefused,
                "rows of " + copying.source_in_words() + " do not fit into table " + copying.to.sql() + ": " +
                    f.what(),
                "give the column an expression that fits: columns = { column = \"…\" }");
  }
}

}  // namespace pgsluice::engine
