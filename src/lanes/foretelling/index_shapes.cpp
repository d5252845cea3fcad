#include "lanes/foretelling/index_shapes.hpp"

#include <algorithm>
#include <cmath>

#include "pg/catalog/storage.hpp"
#include "table/backfill_facts.hpp"

namespace pgsluice::engine {
namespace {

// Above it, neighbours in the order of a column are neighbours on disk.
constexpr double kInOrder = 0.9;

// An entry is its columns behind a header of 8 bytes, padded to 8, with a line pointer of 4. A key column
// that is an expression has no statistics of the table's: its width is not known.
constexpr const char* kShapes = R"sql(
SELECT ic.relname, pg_catalog.pg_relation_size(i.indexrelid)::float8, greatest(ic.reltuples, 0)::float8,
       am.amname = 'btree', coalesce(w.bytes, 0)::float8, coalesce(first.correlation, 0)::float8,
       coalesce(first.attname, '')
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid
JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_am am ON am.oid = ic.relam
LEFT JOIN LATERAL (
  SELECT 12 + ceil(sum(s.avg_width) / 8.0) * 8 AS bytes, count(*) AS known
  FROM unnest(i.indkey::int2[]) k(attnum)
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum AND k.attnum > 0
  JOIN pg_catalog.pg_stats s ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = a.attname
  WHERE NOT s.inherited) w ON w.known = cardinality(i.indkey::int2[])
LEFT JOIN LATERAL (
  SELECT a.attname, s.correlation
  FROM pg_catalog.pg_attribute a
  LEFT JOIN pg_catalog.pg_stats s
    ON s.schemaname = n.nspname AND s.tablename = c.relname AND s.attname = a.attname AND NOT s.inherited
  WHERE a.attrelid = c.oid AND a.attnum = (i.indkey::int2[])[0] AND a.attnum > 0) first ON true
WHERE i.indisready AND ic.relkind = 'i'
  AND (i.indrelid = $1::oid OR i.indrelid IN (SELECT relid FROM pg_catalog.pg_partition_tree($1::oid::regclass)))
ORDER BY ic.oid
)sql";

constexpr const char* kCheckpoints = R"sql(
SELECT pg_catalog.current_setting('full_page_writes')::boolean,
       (SELECT setting::float8 FROM pg_catalog.pg_settings WHERE name = 'checkpoint_timeout'),
       (SELECT setting::float8 * 1048576 FROM pg_catalog.pg_settings WHERE name = 'max_wal_size')
)sql";

bool is_key_first(const PreparedBackfill& step, const std::string& column) {
  return step.keyset && step.keyset->key().front().name == column;
}

}  // namespace

bool is_heap_walked_in_order(pg::Session& session, const PreparedBackfill& step, Walk walk) {
  if (walk != Walk::kKeyset || !step.keyset || step.heaps.empty()) return true;
  // Of a partitioned table the statistics know only its partitions one behind the other.
  const auto* largest = &step.heaps.front();
  for (const auto& heap : step.heaps) {
    if (heap.pages > largest->pages) largest = &heap;
  }
  const auto oid = static_cast<std::uint32_t>(largest->oid);
  return std::abs(pg::correlation(session, oid, step.keyset->key().front().name)) > kInOrder;
}

std::vector<IndexShape> read_index_shapes(pg::Session& session, const PreparedBackfill& step, Walk walk) {
  const bool is_in_order = is_heap_walked_in_order(session, step, walk);
  const auto rows = session.exec(kShapes, {std::to_string(step.table.oid)});
  const auto changed = indexes_changed(pg::read_storage(session, step.table.oid), step.definition);
  std::vector<IndexShape> out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    IndexShape shape;
    shape.name = rows.text(i, 0);
    shape.bytes = rows.real(i, 1);
    shape.entries = rows.real(i, 2);
    shape.is_btree = rows.boolean(i, 3);
    shape.entry_bytes = rows.real(i, 4);
    shape.is_changed = std::find(changed.begin(), changed.end(), shape.name) != changed.end();
    shape.is_local = walk == Walk::kKeyset && is_key_first(step, rows.text(i, 6))
                         ? true
                         : is_in_order && std::abs(rows.real(i, 5)) > kInOrder;
    out.push_back(std::move(shape));
  }
  return out;
}

CheckpointFacts read_checkpoint_facts(pg::Session& session) {
  const auto rows = session.exec(kCheckpoints, pg::Params{});
  CheckpointFacts out;
  out.has_images = rows.boolean(0, 0);
  out.timeout_s = rows.real(0, 1);
  out.wal_bytes = rows.real(0, 2);
  return out;
}

}  // namespace pgsluice::engine
