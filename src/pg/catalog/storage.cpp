#include "pg/catalog/storage.hpp"

#include "pg/key.hpp"

namespace pgsluice::pg {
namespace {

// A row version's size by the statistics (24 bytes of header, 8 for alignment) unless the pages suggest a
// smaller one: pages of a bloated table suggest too much, and statistics of a wide one ignore TOAST.
constexpr const char* kStorage = R"sql(
WITH parts AS (
  SELECT c.oid, c.relname, n.nspname, c.reltuples, c.relfrozenxid, pg_catalog.pg_relation_size(c.oid) AS bytes,
         pg_catalog.pg_total_relation_size(c.oid) AS total
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE (c.oid = $1::oid OR c.oid IN (SELECT relid FROM pg_catalog.pg_partition_tree($1::oid::regclass))) AND c.relkind = 'r'
)
SELECT coalesce(sum(bytes), 0)::bigint, coalesce(sum(total), 0)::bigint,
       coalesce(sum(bytes) / nullif(sum(reltuples) FILTER (WHERE reltuples > 0), 0), 0)::float8,
       coalesce((SELECT 32 + sum(s.avg_width * (1 - s.null_frac)) FROM pg_catalog.pg_stats s
                 WHERE (s.schemaname, s.tablename) = (SELECT nspname, relname FROM parts ORDER BY reltuples DESC LIMIT 1)
                   AND NOT s.inherited), 0)::float8,
       coalesce(bool_and(reltuples > 0 OR bytes = 0), true),
       coalesce(max(age(relfrozenxid)), 0)
FROM parts
)sql";

// A constraint's index depends on the constraint and not on its columns, so indkey is read too.
constexpr const char* kIndexes = R"sql(
SELECT ic.relname, i.indisvalid,
       EXISTS (SELECT FROM pg_catalog.pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid),
       pg_catalog.pg_relation_size(i.indexrelid),
       ARRAY(SELECT a.attname FROM pg_catalog.pg_attribute a
             WHERE a.attrelid = i.indrelid AND a.attnum > 0
               AND (a.attnum = ANY (i.indkey::int2[])
                    OR EXISTS (SELECT FROM pg_catalog.pg_depend d
                               WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = i.indexrelid
                                 AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = i.indrelid
                                 AND d.refobjsubid = a.attnum))
             ORDER BY a.attnum)::text[]
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid
WHERE i.indrelid = $1::oid OR i.indrelid IN (SELECT relid FROM pg_catalog.pg_partition_tree($1::oid::regclass))
ORDER BY ic.relname
)sql";

// tgtype bit 4 is UPDATE, bits 0 and 1 are FOR EACH ROW and BEFORE; tgattr lists the columns of UPDATE OF.
// Triggers of partitions are copies of the parent's.
constexpr int kBeforeRow = 3;
constexpr const char* kTriggers = R"sql(
SELECT t.tgname FROM pg_catalog.pg_trigger t
WHERE t.tgrelid = $1::oid AND NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND t.tgtype & 16 <> 0
  AND t.tgtype & $3::int = $3::int
  AND (cardinality(t.tgattr::int2[]) = 0
       OR EXISTS (SELECT FROM pg_catalog.pg_attribute a
                  WHERE a.attrelid = t.tgrelid AND a.attnum = ANY (t.tgattr::int2[]) AND a.attname = ANY ($2::text[])))
ORDER BY t.tgname
)sql";

constexpr const char* kPartNames = R"sql(
SELECT c.relname FROM pg_catalog.pg_class c
WHERE c.oid = pg_catalog.to_regclass($1)
   OR c.oid IN (SELECT relid FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass($1)))
)sql";

constexpr const char* kMiddle = R"sql(
SELECT coalesce(h.bounds[h.middle], v.first), coalesce(h.bounds[h.middle + 1], h.bounds[h.middle], v.first)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname
CROSS JOIN LATERAL (SELECT s.histogram_bounds::text::text[] AS bounds,
                           cardinality(s.histogram_bounds::text::text[]) / 2 AS middle) h
CROSS JOIN LATERAL (SELECT (s.most_common_vals::text::text[])[1] AS first) v
WHERE c.oid = $1::oid AND s.attname = $2
ORDER BY s.inherited DESC LIMIT 1
)sql";

std::vector<std::string> triggers_of_type(Session& session, std::uint32_t table_oid,
                                          const std::vector<std::string>& columns, int type) {
  const auto rows =
      session.exec(kTriggers, {std::to_string(table_oid), to_array(columns), std::to_string(type)});
  std::vector<std::string> out;
  for (std::size_t i = 0; i < rows.size(); ++i) out.push_back(rows.text(i, 0));
  return out;
}

double row_bytes(double by_pages, double by_statistics) {
  if (by_pages <= 0) return by_statistics;
  return by_statistics > 0 && by_statistics < by_pages ? by_statistics : by_pages;
}

}  // namespace

Storage read_storage(Session& session, std::uint32_t table_oid) {
  const Params oid{std::to_string(table_oid)};
  const auto head = session.exec(kStorage, oid);
  Storage storage;
  storage.heap_bytes = head.integer(0, 0);
  storage.total_bytes = head.integer(0, 1);
  storage.row_bytes = row_bytes(head.real(0, 2), head.real(0, 3));
  storage.is_analysed = head.boolean(0, 4);
  storage.wraparound_age = head.integer(0, 5);
  const auto indexes = session.exec(kIndexes, oid);
  for (std::size_t i = 0; i < indexes.size(); ++i) {
    storage.indexes.push_back({indexes.text(i, 0), indexes.boolean(i, 1), indexes.boolean(i, 2),
                               indexes.integer(i, 3), from_array(indexes.text(i, 4))});
  }
  return storage;
}

std::vector<std::string> fired_triggers(Session& session, std::uint32_t table_oid,
                                        const std::vector<std::string>& columns) {
  return triggers_of_type(session, table_oid, columns, 0);
}

std::vector<std::string> rewriting_triggers(Session& session, std::uint32_t table_oid,
                                            const std::vector<std::string>& columns) {
  return triggers_of_type(session, table_oid, columns, kBeforeRow);
}

std::vector<std::string> index_part_names(Session& session, const std::string& index_sql) {
  const auto rows = session.exec(kPartNames, {index_sql});
  std::vector<std::string> out;
  for (std::size_t i = 0; i < rows.size(); ++i) out.push_back(rows.text(i, 0));
  return out;
}

MiddleValues middle_values(Session& session, std::uint32_t table_oid, const std::string& column) {
  const auto rows = session.exec(kMiddle, {std::to_string(table_oid), column});
  return rows.empty() ? MiddleValues{} : MiddleValues{rows.text(0, 0), rows.text(0, 1)};
}

}  // namespace pgsluice::pg
