#include <algorithm>

#include "kinds/retype/graph/graph_rows.hpp"
#include "kinds/retype/graph/names.hpp"
#include "pg/identifier.hpp"
#include "pg/key.hpp"

namespace pgsluice::steps::retype {
namespace {

// Indexes that hold a changing column: as a part, in an expression or in a predicate. Columns that only newer
// servers have are read through to_jsonb, which gives NULL on older ones.
constexpr const char* kIndexes = R"sql(
SELECT i.indexrelid, ic.relname, coalesce(con.contype::text, ''), i.indisunique,
       coalesce(con.condeferrable, false), coalesce(con.condeferred, false),
       coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false), am.amname, i.indnkeyatts,
       (SELECT string_agg(pg_catalog.quote_ident(split_part(o, '=', 1)) || '='
                          || pg_catalog.quote_literal(substr(o, strpos(o, '=') + 1)), ', ') FROM unnest(ic.reloptions) o),
       ts.spcname, pg_catalog.pg_get_expr(i.indpred, i.indrelid),
       coalesce(pg_catalog.obj_description(con.oid, 'pg_constraint'), pg_catalog.obj_description(ic.oid, 'pg_class')),
       coalesce((to_jsonb(con) ->> 'conperiod')::boolean, false)
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid
JOIN pg_catalog.pg_am am ON am.oid = ic.relam
LEFT JOIN pg_catalog.pg_tablespace ts ON ts.oid = ic.reltablespace
LEFT JOIN pg_catalog.pg_constraint con ON con.conindid = i.indexrelid AND con.contype IN ('p', 'u', 'x')
WHERE i.indrelid = $1::oid AND i.indislive
  AND (i.indkey::int2[] && $2::int2[]
       OR EXISTS (SELECT FROM pg_catalog.pg_depend d
                  WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = i.indexrelid
                    AND d.refobjid = i.indrelid AND d.refobjsubid = ANY ($2::int2[])))
ORDER BY i.indisprimary DESC, ic.relname
)sql";

// The parts of one index. A changing column takes the new type's default operator class, if it has one.
constexpr const char* kParts = R"sql(
SELECT i.indkey[k.n - 1] <> 0,
       CASE WHEN i.indkey[k.n - 1] <> 0 THEN a.attname::text
            ELSE pg_catalog.pg_get_indexdef(i.indexrelid, k.n, false) END,
       CASE WHEN k.n > i.indnkeyatts THEN ''
            ELSE CASE WHEN i.indcollation[k.n - 1] <> 0 AND i.indcollation[k.n - 1] IS DISTINCT FROM a.attcollation
                           AND (NOT coalesce(a.attnum = ANY ($2::int2[]), false)
                                OR (SELECT nt.typcollation <> 0 FROM pg_catalog.pg_type nt WHERE nt.oid = $3::oid))
                      THEN ' COLLATE ' || pg_catalog.quote_ident(cn.nspname) || '.' || pg_catalog.quote_ident(co.collname)
                      ELSE '' END
              || CASE WHEN a.attnum = ANY ($2::int2[]) OR oc.opcdefault AND ia.attoptions IS NULL THEN ''
                      ELSE ' ' || pg_catalog.quote_ident(ocn.nspname) || '.' || pg_catalog.quote_ident(oc.opcname)
                        || coalesce((SELECT ' (' || string_agg(pg_catalog.quote_ident(split_part(o, '=', 1)) || '='
                                     || pg_catalog.quote_literal(substr(o, strpos(o, '=') + 1)), ', ') || ')'
                                     FROM unnest(ia.attoptions) o), '') END END
       || CASE WHEN k.n > i.indnkeyatts THEN ''
               ELSE CASE i.indoption[k.n - 1] WHEN 1 THEN ' DESC NULLS LAST' WHEN 2 THEN ' ASC NULLS FIRST'
                                              WHEN 3 THEN ' DESC NULLS FIRST' ELSE '' END END,
       CASE WHEN k.n > i.indnkeyatts OR NOT coalesce(a.attnum = ANY ($2::int2[]), false) THEN ''
            WHEN NOT oc.opcdefault THEN 'it uses the operator class ' || oc.opcname
            WHEN NOT EXISTS (SELECT FROM pg_catalog.pg_opclass nc JOIN pg_catalog.pg_type nt ON nt.oid = $3::oid
                             WHERE nc.opcmethod = oc.opcmethod AND nc.opcdefault
                               AND (nc.opcintype = nt.oid
                                    OR EXISTS (SELECT FROM pg_catalog.pg_cast b WHERE b.castsource = nt.oid
                                               AND b.casttarget = nc.opcintype AND b.castmethod = 'b' AND b.castcontext = 'i')
                                    OR (nt.typtype = 'e' AND nc.opcintype = 'pg_catalog.anyenum'::regtype)
                                    OR (nt.typcategory = 'A' AND nc.opcintype = 'pg_catalog.anyarray'::regtype)
                                    OR (nt.typtype = 'r' AND nc.opcintype = 'pg_catalog.anyrange'::regtype)))
              THEN 'type ' || $4 || ' has no default operator class for its access method'
            ELSE '' END
FROM pg_catalog.pg_index i
CROSS JOIN LATERAL generate_series(1, i.indnatts::int) AS k(n)
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[k.n - 1] AND a.attnum <> 0
LEFT JOIN pg_catalog.pg_attribute ia ON ia.attrelid = i.indexrelid AND ia.attnum = k.n
LEFT JOIN pg_catalog.pg_opclass oc ON k.n <= i.indnkeyatts AND oc.oid = i.indclass[k.n - 1]
LEFT JOIN pg_catalog.pg_namespace ocn ON ocn.oid = oc.opcnamespace
LEFT JOIN pg_catalog.pg_collation co ON k.n <= i.indnkeyatts AND co.oid = i.indcollation[k.n - 1]
LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace
WHERE i.indexrelid = $1::oid
ORDER BY k.n
)sql";

// The parts of a partitioned index, and indexes of partitions that belong to none.
constexpr const char* kOfPartitions = R"sql(
SELECT ic.relname
FROM unnest($2::oid[]) WITH ORDINALITY AS p(relid, n)
LEFT JOIN (pg_catalog.pg_inherits h JOIN pg_catalog.pg_index i ON i.indexrelid = h.inhrelid
           JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid)
  ON h.inhparent = $1::oid AND i.indrelid = p.relid
ORDER BY p.n
)sql";

constexpr const char* kOfTwin = R"sql(
SELECT coalesce(ic.relname, '')
FROM unnest($4::oid[]) WITH ORDINALITY AS p(relid, n)
JOIN pg_catalog.pg_class twin ON twin.relname = $2 AND twin.relnamespace = $3::pg_catalog.regnamespace
JOIN pg_catalog.pg_index ti ON ti.indexrelid = twin.oid AND ti.indrelid = $1::oid
LEFT JOIN (pg_catalog.pg_inherits h JOIN pg_catalog.pg_index i ON i.indexrelid = h.inhrelid
           JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid)
  ON h.inhparent = twin.oid AND i.indrelid = p.relid
ORDER BY p.n
)sql";

constexpr const char* kStrays = R"sql(
SELECT ic.relname, i.indrelid::regclass
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid
WHERE i.indrelid = ANY ($1::oid[]) AND NOT ic.relispartition
  AND EXISTS (SELECT FROM pg_catalog.pg_attribute a
              WHERE a.attrelid = i.indrelid AND a.attname = ANY ($2::text[]) AND a.attnum = ANY (i.indkey::int2[]))
  AND NOT ic.relname = ANY ($3::text[])
ORDER BY 2, 1
)sql";

std::string oids_of(const std::vector<GraphPartition>& partitions) {
  std::vector<std::string> oids;
  for (const auto& partition : partitions) oids.push_back(std::to_string(partition.oid));
  return pg::to_array(oids);
}

void read_of_partitions(pg::Session& session, const GraphTable& table, const std::string& oid,
                        GraphIndex& index) {
  if (table.partitions.empty()) return;
  const auto rows = session.exec(kOfPartitions, {oid, oids_of(table.partitions)});
  for (std::size_t i = 0; i < rows.size(); ++i) {
    index.of_partitions.push_back(rows.text(i, 0));
    if (rows.is_null(i, 0)) index.refusal = "it does not exist on every partition";
  }
  for (const auto& twin : {new_name(index.name), old_name(index.name)}) {
    const auto parts = session.exec(kOfTwin, {std::to_string(table.oid), twin,
                                              pg::Identifier(table.schema).sql(), oids_of(table.partitions)});
    if (parts.empty()) continue;
    index.joined.push_back({twin, {}});
    for (std::size_t i = 0; i < parts.size(); ++i) index.joined.back().parts.push_back(parts.text(i, 0));
  }
}

void read_parts(pg::Session& session, GraphIndex& index, const std::string& oid, const std::string& changing,
                const TypeFacts& to) {
  const auto rows = session.exec(kParts, {oid, changing, std::to_string(to.base_oid), to.sql});
  for (std::size_t i = 0; i < rows.size(); ++i) {
    index.parts.push_back({rows.text(i, 1), rows.boolean(i, 0), rows.text(i, 2)});
    if (index.refusal.empty()) index.refusal = rows.text(i, 3);
  }
}

/// Why no twin can replace it, apart from what its parts say.
std::string refusal_of(const GraphIndex& index, bool is_temporal) {
  if (index.constraint_type == "x") return "it belongs to an exclusion constraint";
  if (is_temporal) return "it belongs to a temporal key (WITHOUT OVERLAPS)";
  // A deferrable index cannot be built concurrently, and until the twin is a constraint it refuses statements
  // that swap values, which the application relies on.
  if (index.is_deferrable) return "it belongs to a DEFERRABLE constraint, whose twin could not be deferred";
  return {};
}

}  // namespace

std::vector<GraphIndex> read_indexes(pg::Session& session, const GraphTable& table, const TypeFacts& to) {
  std::vector<std::string> changing;
  for (const auto& column : table.columns) changing.push_back(std::to_string(column.attnum));
  const auto numbers = pg::to_array(changing);
  const auto rows = session.exec(kIndexes, {std::to_string(table.oid), numbers});
  std::vector<GraphIndex> indexes;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    GraphIndex index;
    index.name = rows.text(i, 1);
    index.constraint_type = rows.text(i, 2);
    index.is_unique = rows.boolean(i, 3);
    index.is_deferrable = rows.boolean(i, 4);
    index.is_deferred = rows.boolean(i, 5);
    index.is_nulls_not_distinct = rows.boolean(i, 6);
    index.method = rows.text(i, 7);
    index.key_parts = static_cast<int>(rows.integer(i, 8));
    index.options = rows.text(i, 9);
    index.tablespace = rows.text(i, 10);
    index.predicate = rows.text(i, 11);
    index.comment = rows.text(i, 12);
    read_parts(session, index, rows.text(i, 0), numbers, to);
    read_of_partitions(session, table, rows.text(i, 0), index);
    if (const auto why = refusal_of(index, rows.boolean(i, 13)); !why.empty()) index.refusal = why;
    indexes.push_back(std::move(index));
  }
  return indexes;
}

void read_strays(pg::Session& session, const GraphTable& table, std::vector<std::string>& obstacles) {
  if (table.partitions.empty()) return;
  std::vector<std::string> columns;
  std::vector<std::string> ours;
  for (const auto& column : table.columns) columns.push_back(column.name);
  for (const auto& index : table.indexes) {
    for (const auto& part : index.of_partitions) ours.push_back(old_name(part));
  }
  const auto rows =
      session.exec(kStrays, {oids_of(table.partitions), pg::to_array(columns), pg::to_array(ours)});
  for (std::size_t i = 0; i < rows.size(); ++i) {
    obstacles.push_back("index \"" + rows.text(i, 0) + "\" exists on partition " + rows.text(i, 1) +
                        " only: make it an index of table " + table.sql() +
                        ", or drop it until the cut-over");
  }
}

}  // namespace pgsluice::steps::retype
