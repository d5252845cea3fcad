#include <map>

#include "kinds/retype/graph/graph_rows.hpp"
#include "kinds/retype/graph/names.hpp"
#include "pg/key.hpp"

namespace pgsluice::steps::retype {
namespace {

constexpr const char* kChecks = R"sql(
SELECT c.conname, pg_catalog.pg_get_expr(c.conbin, c.conrelid), c.convalidated,
       pg_catalog.obj_description(c.oid, 'pg_constraint'),
       EXISTS (SELECT FROM pg_catalog.pg_constraint m WHERE m.conrelid = c.conrelid AND m.conname = $3)
FROM pg_catalog.pg_constraint c
WHERE c.contype = 'c' AND c.conrelid = $1::oid AND c.conkey && $2::int2[]
ORDER BY c.conname
)sql";

constexpr const char* kIsThere =
    "SELECT FROM pg_catalog.pg_constraint c WHERE c.conrelid = $1::oid AND c.conname = $2 AND c.convalidated "
    ">= "
    "$3::boolean";

// Constraints that came with server 18 and that no twin can replace yet. Older servers lack these columns,
// and to_jsonb leaves them out there.
constexpr const char* kUncarried = R"sql(
SELECT 'constraint "' || c.conname || '" of table ' || c.conrelid::regclass,
       CASE WHEN to_jsonb(c) ->> 'conperiod' = 'true' THEN 'it is a temporal one (PERIOD)'
            WHEN to_jsonb(c) ->> 'conenforced' = 'false' THEN 'it is NOT ENFORCED, and its twin would be'
            ELSE 'it is NOT NULL NOT VALID: rows may hold NULL' END
FROM pg_catalog.pg_constraint c
WHERE ((c.conrelid = $1::oid AND c.conkey && $2::int2[]) OR (c.confrelid = $1::oid AND c.confkey && $2::int2[]))
  AND (to_jsonb(c) ->> 'conperiod' = 'true' OR to_jsonb(c) ->> 'conenforced' = 'false'
       OR (c.contype = 'n' AND NOT c.convalidated))
ORDER BY 1
)sql";

// Rules as ADD FOREIGN KEY writes them. The columns of SET NULL (…) came with server 15. Constraints of
// partitions follow their parent's. Oldest first: the server cascades in that order, and a key without an
// action allows what an older one has put right.
constexpr const char* kForeignKeys = R"sql(
SELECT f.conname, f.conrelid, f.confrelid,
       ARRAY(SELECT a.attname FROM unnest(f.conkey) WITH ORDINALITY AS k(attnum, n)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = k.attnum ORDER BY k.n)::text[],
       ARRAY(SELECT a.attname FROM unnest(f.confkey) WITH ORDINALITY AS k(attnum, n)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = f.confrelid AND a.attnum = k.attnum ORDER BY k.n)::text[],
       CASE f.confmatchtype WHEN 'f' THEN ' MATCH FULL' WHEN 'p' THEN ' MATCH PARTIAL' ELSE '' END
         || CASE f.confupdtype WHEN 'r' THEN ' ON UPDATE RESTRICT' WHEN 'c' THEN ' ON UPDATE CASCADE'
                               WHEN 'n' THEN ' ON UPDATE SET NULL' WHEN 'd' THEN ' ON UPDATE SET DEFAULT' ELSE '' END,
       CASE f.confdeltype WHEN 'r' THEN ' ON DELETE RESTRICT' WHEN 'c' THEN ' ON DELETE CASCADE'
                          WHEN 'n' THEN ' ON DELETE SET NULL' WHEN 'd' THEN ' ON DELETE SET DEFAULT' ELSE '' END,
       ARRAY(SELECT a.attname FROM jsonb_array_elements_text(
               CASE jsonb_typeof(to_jsonb(f) -> 'confdelsetcols') WHEN 'array' THEN to_jsonb(f) -> 'confdelsetcols'
                                                                   ELSE '[]' END) AS s(attnum)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = f.conrelid AND a.attnum = s.attnum::int2)::text[],
       f.condeferrable, f.condeferred, f.convalidated, pg_catalog.obj_description(f.oid, 'pg_constraint'),
       ARRAY(SELECT part.conname FROM pg_catalog.pg_constraint part
             JOIN pg_catalog.pg_class pc ON pc.oid = part.conrelid
             JOIN pg_catalog.pg_namespace pn ON pn.oid = pc.relnamespace
             WHERE part.conparentid = f.oid AND part.conrelid <> f.conrelid
             ORDER BY pn.nspname, pc.relname)::text[],
       (SELECT rc.relkind FROM pg_catalog.pg_class rc WHERE rc.oid = f.confrelid)
FROM pg_catalog.pg_constraint f
WHERE f.contype = 'f' AND f.conparentid = 0
  AND EXISTS (SELECT FROM unnest($1::oid[], $2::int2[]) AS c(relid, attnum)
              WHERE (f.conrelid = c.relid AND c.attnum = ANY (f.conkey))
                 OR (f.confrelid = c.relid AND c.attnum = ANY (f.confkey)))
ORDER BY f.oid
)sql";

constexpr const char* kOfTwin = R"sql(
SELECT coalesce(part.conname, '')
FROM unnest($3::oid[]) WITH ORDINALITY AS p(relid, n)
JOIN pg_catalog.pg_constraint twin ON twin.conrelid = $1::oid AND twin.conname = $2 AND twin.contype = 'f'
LEFT JOIN pg_catalog.pg_constraint part ON part.conparentid = twin.oid AND part.conrelid = p.relid
ORDER BY p.n
)sql";

void read_joined(pg::Session& session, const GraphTable& table, GraphForeignKey& key) {
  std::vector<std::string> partitions;
  for (const auto& partition : table.partitions) partitions.push_back(std::to_string(partition.oid));
  for (const auto& twin : {new_name(key.name), old_name(key.name)}) {
    const auto rows = session.exec(kOfTwin, {std::to_string(table.oid), twin, pg::to_array(partitions)});
    if (rows.empty()) continue;
    key.joined.push_back({twin, {}});
    for (std::size_t i = 0; i < rows.size(); ++i) key.joined.back().parts.push_back(rows.text(i, 0));
  }
}

bool is_there(pg::Session& session, const GraphTable& table, const std::string& constraint,
              bool is_validated) {
  return !session.exec(kIsThere, {std::to_string(table.oid), constraint, is_validated ? "true" : "false"})
              .empty();
}

}  // namespace

std::vector<GraphCheck> read_checks(pg::Session& session, const GraphTable& table) {
  std::vector<std::string> changing;
  for (const auto& column : table.columns) changing.push_back(std::to_string(column.attnum));
  const auto rows = session.exec(
      kChecks, {std::to_string(table.oid), pg::to_array(changing), map_check(table.columns.front().name)});
  std::vector<GraphCheck> checks;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    GraphCheck check{rows.text(i, 0), rows.text(i, 1), rows.boolean(i, 2), rows.text(i, 3), false};
    check.is_late = rows.boolean(i, 4) && !is_there(session, table, new_name(check.name), check.is_validated);
    checks.push_back(std::move(check));
  }
  return checks;
}

void read_uncarried(pg::Session& session, const GraphTable& table, std::vector<std::string>& obstacles) {
  std::vector<std::string> changing;
  for (const auto& column : table.columns) changing.push_back(std::to_string(column.attnum));
  const auto rows = session.exec(kUncarried, {std::to_string(table.oid), pg::to_array(changing)});
  for (std::size_t i = 0; i < rows.size(); ++i)
    obstacles.push_back(rows.text(i, 0) + " cannot be carried over: " + rows.text(i, 1));
}

std::vector<GraphForeignKey> read_foreign_keys(pg::Session& session, Graph& graph) {
  std::vector<std::string> tables;
  std::vector<std::string> columns;
  std::map<std::uint32_t, int> place;
  for (std::size_t i = 0; i < graph.tables.size(); ++i) {
    place[graph.tables[i].oid] = static_cast<int>(i);
    for (const auto& column : graph.tables[i].columns) {
      tables.push_back(std::to_string(graph.tables[i].oid));
      columns.push_back(std::to_string(column.attnum));
    }
  }
  const auto rows = session.exec(kForeignKeys, {pg::to_array(tables), pg::to_array(columns)});
  std::vector<GraphForeignKey> keys;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto own = place.find(static_cast<std::uint32_t>(rows.integer(i, 1)));
    const auto ref = place.find(static_cast<std::uint32_t>(rows.integer(i, 2)));
    if (ref == place.end()) {
      graph.obstacles.push_back("foreign key \"" + rows.text(i, 0) + "\" of table " +
                                graph.tables[static_cast<std::size_t>(own->second)].sql() +
                                " links a changing column to a table that does not change: add that table");
      continue;
    }
    GraphForeignKey key;
    key.name = rows.text(i, 0);
    key.table = own->second;
    key.ref_table = ref->second;
    key.columns = pg::from_array(rows.text(i, 3));
    key.ref_columns = pg::from_array(rows.text(i, 4));
    key.rules = rows.text(i, 5);
    key.on_delete = rows.text(i, 6);
    key.on_delete_columns = pg::from_array(rows.text(i, 7));
    key.is_deferrable = rows.boolean(i, 8);
    key.is_deferred = rows.boolean(i, 9);
    key.is_validated = rows.boolean(i, 10);
    key.comment = rows.text(i, 11);
    key.of_partitions = pg::from_array(rows.text(i, 12));
    if (rows.text(i, 13) == "p")
      graph.obstacles.push_back(
          "foreign key \"" + key.name +
          "\" refers to a partitioned table, which cannot be carried over yet: drop it until the cut-over");
    read_joined(session, graph.tables[static_cast<std::size_t>(key.table)], key);
    keys.push_back(std::move(key));
  }
  return keys;
}

}  // namespace pgsluice::steps::retype
