#include "kinds/retype/graph/graph_rows.hpp"
#include "kinds/retype/graph/names.hpp"
#include "pg/identifier.hpp"
#include "pg/key.hpp"

namespace pgsluice::steps::retype {
namespace {

// One row for each changing column: the roots and every column that refers to them, directly or through
// others.
constexpr const char* kChanging = R"sql(
WITH RECURSIVE changing(relid, attnum) AS (
  SELECT * FROM unnest($1::oid[], $2::int2[])
  UNION
  SELECT f.conrelid, pair.own
  FROM changing c
  JOIN pg_catalog.pg_constraint f ON f.contype = 'f' AND f.confrelid = c.relid AND f.conparentid = 0
  CROSS JOIN LATERAL unnest(f.conkey, f.confkey) AS pair(own, ref)
  WHERE pair.ref = c.attnum
)
SELECT t.oid, n.nspname, t.relname, t.relkind,
       ARRAY(SELECT k.attname FROM pg_catalog.pg_index i
             CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS n(attnum, place)
             JOIN pg_catalog.pg_attribute k ON k.attrelid = i.indrelid AND k.attnum = n.attnum
             WHERE i.indrelid = t.oid AND i.indisprimary ORDER BY n.place)::text[],
       pg_catalog.row_security_active(t.oid),
       ARRAY(SELECT g.tgname FROM pg_catalog.pg_trigger g
             WHERE g.tgrelid = t.oid AND NOT g.tgisinternal AND g.tgtype & 16 <> 0 AND g.tgenabled IN ('O', 'A')
               AND pg_catalog.cardinality(g.tgattr::int2[]) = 0  -- UPDATE OF never names a shadow column
             ORDER BY g.tgname)::text[],
       ARRAY(SELECT o.attname FROM pg_catalog.pg_attribute o
             WHERE o.attrelid = t.oid AND o.attnum > 0 AND NOT o.attisdropped ORDER BY o.attnum)::text[],
       ARRAY(SELECT pg_catalog.format_type(o.atttypid, o.atttypmod) FROM pg_catalog.pg_attribute o
             WHERE o.attrelid = t.oid AND o.attnum > 0 AND NOT o.attisdropped ORDER BY o.attnum),
       a.attname, a.attnum, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull
FROM changing c
JOIN pg_catalog.pg_class t ON t.oid = c.relid
JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.relid AND a.attnum = c.attnum
ORDER BY n.nspname, t.relname, a.attnum
)sql";

// What gives a column its values: the default, or the identity with its sequence's options; the sequence that
// the column owns; and other sequences that the default draws from.
constexpr const char* kSource = R"sql(
SELECT CASE WHEN a.attgenerated = '' THEN pg_catalog.pg_get_expr(d.adbin, d.adrelid) END,
       (SELECT 'GENERATED ' || CASE a.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END || ' AS IDENTITY (SEQUENCE NAME '
               || pg_catalog.quote_ident(qn.nspname) || '.' || pg_catalog.quote_ident(qc.relname) || ' START WITH ' || q.seqstart
               || ' INCREMENT BY ' || q.seqincrement || ' MINVALUE ' || q.seqmin || ' MAXVALUE ' || q.seqmax || ' CACHE ' || q.seqcache || CASE WHEN q.seqcycle THEN ' CYCLE' ELSE '' END || ')'
        FROM pg_catalog.pg_depend qd
        JOIN pg_catalog.pg_sequence q ON q.seqrelid = qd.objid
        JOIN pg_catalog.pg_class qc ON qc.oid = q.seqrelid
        JOIN pg_catalog.pg_namespace qn ON qn.oid = qc.relnamespace
        WHERE a.attidentity <> '' AND qd.classid = 'pg_catalog.pg_class'::regclass
          AND qd.refclassid = 'pg_catalog.pg_class'::regclass AND qd.refobjid = a.attrelid
          AND qd.refobjsubid = a.attnum AND qd.deptype = 'i' LIMIT 1),
       (SELECT pg_catalog.quote_ident(sn.nspname) || '.' || pg_catalog.quote_ident(s.relname)
        FROM pg_catalog.pg_depend p
        JOIN pg_catalog.pg_class s ON s.oid = p.objid AND s.relkind = 'S'
        JOIN pg_catalog.pg_namespace sn ON sn.oid = s.relnamespace
        WHERE p.classid = 'pg_catalog.pg_class'::regclass AND p.refclassid = 'pg_catalog.pg_class'::regclass
          AND p.refobjid = a.attrelid AND p.refobjsubid = a.attnum AND p.deptype IN ('a', 'i') LIMIT 1),
       ARRAY(SELECT pg_catalog.quote_ident(dn.nspname) || '.' || pg_catalog.quote_ident(ds.relname)
             FROM pg_catalog.pg_depend dd
             JOIN pg_catalog.pg_class ds ON ds.oid = dd.refobjid AND ds.relkind = 'S'
             JOIN pg_catalog.pg_sequence dq ON dq.seqrelid = ds.oid AND dq.seqtypid IN ('int2'::regtype, 'int4'::regtype)
             JOIN pg_catalog.pg_namespace dn ON dn.oid = ds.relnamespace
             WHERE dd.classid = 'pg_catalog.pg_attrdef'::regclass AND dd.objid = d.oid
               AND dd.refclassid = 'pg_catalog.pg_class'::regclass
               AND pg_catalog.pg_has_role(ds.relowner, 'USAGE')
               AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend own
                               WHERE own.classid = 'pg_catalog.pg_class'::regclass AND own.objid = ds.oid
                                 AND own.refclassid = 'pg_catalog.pg_class'::regclass AND own.refobjid = a.attrelid
                                 AND own.refobjsubid = a.attnum AND own.deptype IN ('a', 'i'))
             ORDER BY 1)
FROM pg_catalog.pg_attribute a
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = $1::oid AND a.attname = $2 AND NOT a.attisdropped
)sql";

GraphTable table_of(const pg::Rows& rows, std::size_t i) {
  GraphTable table;
  table.oid = static_cast<std::uint32_t>(rows.integer(i, 0));
  table.schema = rows.text(i, 1);
  table.name = rows.text(i, 2);
  table.kind = rows.text(i, 3);
  table.key = pg::from_array(rows.text(i, 4));
  table.row_security_applies = rows.boolean(i, 5);
  table.update_triggers = pg::from_array(rows.text(i, 6));
  const auto names = pg::from_array(rows.text(i, 7));
  const auto types = pg::from_array(rows.text(i, 8));
  for (std::size_t k = 0; k < names.size(); ++k) table.all_columns[names[k]] = types[k];
  return table;
}

GraphColumn column_of(const pg::Rows& rows, std::size_t i) {
  GraphColumn column;
  column.name = rows.text(i, 9);
  column.attnum = static_cast<int>(rows.integer(i, 10));
  column.type = rows.text(i, 11);
  column.is_not_null = rows.boolean(i, 12);
  return column;
}

constexpr const char* kPartitions = R"sql(
SELECT c.oid, n.nspname, c.relname, c.relkind,
       ARRAY(SELECT a.attnum FROM unnest($2::text[]) WITH ORDINALITY AS k(name, n)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = k.name ORDER BY k.n)::text[]
FROM pg_catalog.pg_inherits i
JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE i.inhparent = $1::oid AND c.relispartition
ORDER BY n.nspname, c.relname
)sql";

ColumnSource read_source(pg::Session& session, const GraphTable& table, const std::string& column) {
  const auto rows = session.exec(kSource, {std::to_string(table.oid), column});
  if (rows.empty()) return {};
  return {rows.text(0, 0), rows.text(0, 1), rows.text(0, 2), pg::from_array(rows.text(0, 3))};
}

constexpr const char* kIsNotNull = R"sql(
SELECT a.attnotnull, EXISTS (SELECT FROM pg_catalog.pg_constraint c WHERE c.conrelid = a.attrelid AND c.conname = $3)
FROM pg_catalog.pg_attribute a WHERE a.attrelid = $1::oid AND a.attname = $2 AND NOT a.attisdropped
)sql";

/// Reads the column beside it: its shadow, or after the cut-over the old column.
void read_other_column(pg::Session& session, const GraphTable& table, GraphColumn& column) {
  const auto is_not_null = [&](const std::string& name) {
    return session.exec(kIsNotNull, {std::to_string(table.oid), name, map_check(column.name)});
  };
  if (const auto old = old_name(column.name); table.all_columns.count(old)) {
    column.old_source = read_source(session, table, old);
    column.old_is_not_null = is_not_null(old).boolean(0, 0);
  }
  if (const auto shadow = new_name(column.name); table.all_columns.count(shadow)) {
    const auto rows = is_not_null(shadow);
    column.is_not_null_late = column.is_not_null && !rows.boolean(0, 0) && rows.boolean(0, 1);
  }
}

}  // namespace

void read_partitions(pg::Session& session, GraphTable& table, std::vector<std::string>& obstacles) {
  if (table.kind != "p") return;
  std::vector<std::string> columns;
  for (const auto& column : table.columns) columns.push_back(column.name);
  const auto rows = session.exec(kPartitions, {std::to_string(table.oid), pg::to_array(columns)});
  for (std::size_t i = 0; i < rows.size(); ++i) {
    table.partitions.push_back(
        {static_cast<std::uint32_t>(rows.integer(i, 0)), rows.text(i, 1), rows.text(i, 2)});
    const auto numbers = pg::from_array(rows.text(i, 4));
    for (std::size_t k = 0; k < table.columns.size(); ++k)
      table.columns[k].of_partitions.push_back(std::stoi(numbers[k]));
    if (rows.text(i, 3) != "r")
      obstacles.push_back("partition " + table.partitions.back().sql() + " of table " + table.sql() +
                          " is not an ordinary table: only one level of partitions can be carried over");
  }
}

std::vector<GraphTable> read_tables(pg::Session& session, const std::vector<std::string>& roots,
                                    const std::vector<std::string>& columns) {
  const auto rows = session.exec(kChanging, {pg::to_array(roots), pg::to_array(columns)});
  std::vector<GraphTable> tables;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto table = table_of(rows, i);
    if (tables.empty() || tables.back().oid != table.oid) tables.push_back(std::move(table));
    auto& owner = tables.back();
    owner.columns.push_back(column_of(rows, i));
    auto& column = owner.columns.back();
    column.source = read_source(session, owner, column.name);
    read_other_column(session, owner, column);
  }
  return tables;
}

}  // namespace pgsluice::steps::retype
