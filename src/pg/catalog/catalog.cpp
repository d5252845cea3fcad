#include "pg/catalog/catalog.hpp"

#include <algorithm>

#include "pg/identifier.hpp"
#include "pg/key.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::pg {
namespace {

// With partitions or children, pages and rows are those of the whole tree. Rows are the rows per page at the
// last ANALYZE or VACUUM times the current pages. A table that was never analysed has reltuples -1: then its
// size and a guess of 100 bytes a row are used.
constexpr const char* kTable = R"sql(
SELECT c.oid, n.nspname, c.relname, c.relkind, c.relpersistence = 't',
       EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhparent = c.oid) AND c.relkind = 'r',
       pg_catalog.row_security_active(c.oid), sums.rows, sums.pages
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
  SELECT sum(CASE WHEN l.reltuples > 0 AND l.relpages > 0 THEN l.reltuples / l.relpages * size.pages
                  ELSE size.bytes / 100 END)::bigint AS rows,
         sum(size.pages)::bigint AS pages
  FROM pg_catalog.pg_class l
  CROSS JOIN LATERAL (SELECT pg_catalog.pg_relation_size(l.oid)) now(bytes)
  CROSS JOIN LATERAL (
    SELECT now.bytes, now.bytes / pg_catalog.current_setting('block_size')::bigint AS pages) size
  WHERE (l.oid = c.oid OR (c.relkind = 'p' AND l.oid IN (SELECT relid FROM pg_catalog.pg_partition_tree(c.oid))))
    AND l.relkind <> 'p'  -- ANALYZE writes the sum of the parts there
) sums
WHERE c.oid = pg_catalog.to_regclass($1)
)sql";

constexpr const char* kColumns = R"sql(
SELECT a.attname,
       pg_catalog.quote_ident(tn.nspname) || '.' || pg_catalog.quote_ident(t.typname),
       CASE WHEN a.attcollation <> 0
            THEN ' COLLATE ' || pg_catalog.quote_ident(cn.nspname) || '.' || pg_catalog.quote_ident(co.collname)
            ELSE '' END,
       a.attnotnull, a.attgenerated <> ''
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace
LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation
LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace
WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
)sql";

// A walk needs the index to be in the order that ORDER BY asks for: default operator classes, the columns'
// own collations, all ascending (indoption 0) or all descending (3).
constexpr const char* kKeys = R"sql(
SELECT ic.relname, i.indisprimary,
       ARRAY(SELECT a.attname FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, n)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
             WHERE k.n <= i.indnkeyatts ORDER BY k.n)::text[],
       CASE
         WHEN am.amname <> 'btree' THEN 'its index is not a B-tree'
         WHEN NOT i.indisvalid OR NOT i.indisready THEN 'its index is not valid'
         WHEN NOT i.indimmediate THEN 'it is deferrable'
         WHEN i.indpred IS NOT NULL THEN 'its index is partial'
         WHEN i.indexprs IS NOT NULL THEN 'its index holds an expression'
         WHEN EXISTS (SELECT FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, n)
                      JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                      WHERE k.n <= i.indnkeyatts AND NOT a.attnotnull) THEN 'a column of it may be NULL'
         WHEN EXISTS (SELECT FROM unnest(i.indclass::oid[]) o JOIN pg_catalog.pg_opclass oc ON oc.oid = o
                      WHERE NOT oc.opcdefault) THEN 'its index uses an operator class that is not the default'
         WHEN EXISTS (SELECT FROM unnest(i.indkey::int2[], i.indcollation::oid[]) AS k(attnum, collation_oid)
                      JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
                      WHERE a.attcollation <> k.collation_oid AND k.collation_oid <> 0)
           THEN 'its index has another collation than its column'
         WHEN (SELECT count(DISTINCT o) FROM unnest(i.indoption::int2[]) o) > 1
              OR i.indoption[0] NOT IN (0, 3) THEN 'its index mixes directions'
         ELSE '' END
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid
JOIN pg_catalog.pg_am am ON am.oid = ic.relam
WHERE i.indrelid = $1::oid AND i.indisunique
ORDER BY i.indisprimary DESC, i.indnkeyatts, ic.relname
)sql";

// tgtype bit 4 is UPDATE; 'D' means disabled, 'R' fires on replicas only.
constexpr const char* kUpdateTriggers = R"sql(
SELECT tgname FROM pg_catalog.pg_trigger
WHERE tgrelid = $1::oid AND NOT tgisinternal AND tgenabled IN ('O', 'A') AND tgtype & 16 <> 0
ORDER BY tgname
)sql";

constexpr const char* kLookalikes = R"sql(
SELECT n.nspname || '.' || c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE lower(c.relname) = lower($1) AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
ORDER BY 1 LIMIT 3
)sql";

std::string display(const TableName& name) {
  return name.schema.empty() ? name.name : name.schema + "." + name.name;
}

[[noreturn]] void refuse_missing(Session& session, const TableName& name) {
  const Rows similar = session.exec(kLookalikes, {name.name});
  std::string hint = "check the name and the database";
  for (std::size_t i = 0; i < similar.size(); ++i)
    hint = (i ? hint + ", " : "there is ") + similar.text(i, 0);
  throw Error(ExitCode::kRefused, "table \"" + display(name) + "\" does not exist", hint);
}

const char* kind_in_words(const std::string& relkind) {
  if (relkind == "v") return "a view";
  if (relkind == "m") return "a materialised view";
  if (relkind == "f") return "a foreign table";
  if (relkind == "i" || relkind == "I") return "an index";
  if (relkind == "S") return "a sequence";
  return "not a table";
}

void refuse_unwalkable(const Table& table) {
  if (table.kind != "r" && table.kind != "p") {
    throw Error(ExitCode::kRefused,
                "\"" + table.schema + "." + table.name + "\" is " + kind_in_words(table.kind),
                "name the table itself");
  }
  if (table.is_temporary) {
    throw Error(ExitCode::kRefused, "\"" + table.name + "\" is a temporary table",
                "name an ordinary table: other connections cannot see a temporary one");
  }
  if (table.has_children) {
    throw Error(ExitCode::kRefused,
                "table \"" + table.schema + "." + table.name + "\" has inheritance children",
                "its key is unique only within each of them; write one step for each table");
  }
}

std::string unfit_list(const Table& table) {
  std::string out;
  for (const auto& key : table.keys) {
    out += (out.empty() ? "" : "; ") + key.index_name + ": " + key.unfit_reason;
  }
  return out;
}

std::vector<Column> columns_of(const Table& table, const std::vector<std::string>& names) {
  std::vector<Column> out;
  for (const auto& name : names) {
    const Column* column = table.find(name);
    if (!column) {
      throw Error(ExitCode::kRefused, "table \"" + table.name + "\" has no column \"" + name + "\"",
                  "check `key`");
    }
    out.push_back(*column);
  }
  return out;
}

std::vector<Column> given_key(const Table& table, const std::vector<std::string>& wanted) {
  auto columns = columns_of(table, wanted);
  const auto match = std::find_if(table.keys.begin(), table.keys.end(),
                                  [&](const UniqueKey& k) { return k.columns == wanted; });
  if (match == table.keys.end()) {
    throw Error(ExitCode::kRefused,
                "key (" + column_list(wanted) + ") of table \"" + table.name + "\" is not unique",
                "a walk needs a unique index on exactly these columns, in this order");
  }
  if (!match->unfit_reason.empty()) {
    throw Error(ExitCode::kRefused,
                "key (" + column_list(wanted) + ") of table \"" + table.name +
                    "\" cannot be walked: " + match->unfit_reason,
                match->unfit_reason == "a column of it may be NULL"
                    ? "rows with a NULL in it would be left out: SET NOT NULL first, or name another key"
                    : "name another key");
  }
  return columns;
}

}  // namespace

std::string Table::sql() const {
  return Identifier(schema, name).sql();
}

const Column* Table::find(const std::string& column) const {
  const auto it =
      std::find_if(columns.begin(), columns.end(), [&](const Column& c) { return c.name == column; });
  return it == columns.end() ? nullptr : &*it;
}

Table read_table(Session& session, const TableName& name) {
  const Rows head = session.exec(kTable, {Identifier(name.schema, name.name).sql()});
  if (head.empty()) refuse_missing(session, name);
  Table table;
  table.oid = static_cast<std::uint32_t>(head.integer(0, 0));
  table.schema = head.text(0, 1);
  table.name = head.text(0, 2);
  table.kind = head.text(0, 3);
  table.is_temporary = head.boolean(0, 4);
  table.has_children = head.boolean(0, 5);
  table.row_security_applies = head.boolean(0, 6);
  table.rows_estimate = head.integer(0, 7);
  table.pages = head.integer(0, 8);

  const Params oid{std::to_string(table.oid)};
  const Rows columns = session.exec(kColumns, oid);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    table.columns.push_back({columns.text(i, 0), columns.text(i, 1), columns.text(i, 2),
                             columns.boolean(i, 3), columns.boolean(i, 4)});
  }
  const Rows keys = session.exec(kKeys, oid);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    table.keys.push_back({keys.text(i, 0), from_array(keys.text(i, 2)), keys.boolean(i, 1), keys.text(i, 3)});
  }
  const Rows triggers = session.exec(kUpdateTriggers, oid);
  for (std::size_t i = 0; i < triggers.size(); ++i) table.update_triggers.push_back(triggers.text(i, 0));
  return table;
}

std::vector<Column> choose_key(const Table& table, const std::vector<std::string>& wanted) {
  refuse_unwalkable(table);
  if (!wanted.empty()) return given_key(table, wanted);
  const auto fit = std::find_if(table.keys.begin(), table.keys.end(),
                                [](const UniqueKey& k) { return k.unfit_reason.empty(); });
  if (fit == table.keys.end()) {
    const auto reasons = unfit_list(table);
    throw Error(
        ExitCode::kRefused,
        "table \"" + table.schema + "." + table.name + "\" has no key to walk" +
            (reasons.empty() ? "" : " (" + reasons + ")"),
        "add a primary key or a unique index on NOT NULL columns: CREATE UNIQUE INDEX CONCURRENTLY …");
  }
  return columns_of(table, fit->columns);
}

std::int64_t deadlock_timeout_ms(Session& session) {
  const Rows rows =
      session.exec("SELECT setting FROM pg_catalog.pg_settings WHERE name = 'deadlock_timeout'", Params{});
  return rows.empty() ? 1'000 : rows.integer(0, 0);
}

bool is_behind_pooler(Session& session) {
  return session.exec("SELECT pg_catalog.pg_backend_pid()", Params{}).integer(0, 0) != session.backend_pid();
}

}  // namespace pgsluice::pg
