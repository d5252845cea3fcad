#include "table/whole_partitions.hpp"

#include <algorithm>
#include <set>

#include "base/json.hpp"
#include "job/condition/upper_bounds.hpp"
#include "pg/catalog/swallowers.hpp"
#include "pg/connection/transaction.hpp"
#include "pg/identifier.hpp"

namespace pgsluice::engine {
namespace {

constexpr int kVersionWithConcurrentDetach = 140000;

// Only what the bounds prove counts, not what constraints seem to.
constexpr const char* kByBoundsAlone =
    "SET LOCAL enable_partition_pruning = on; SET LOCAL constraint_exclusion = off";

// Leaves directly below, with their bounds; "depends": something that DROP would not take along, also of its
// sequences and types.
constexpr const char* kLeaves = R"sql(
SELECT c.oid, n.nspname, c.relname, greatest(c.reltuples, 0)::float8, pg_catalog.pg_get_expr(c.relpartbound, c.oid),
       EXISTS (
         WITH RECURSIVE owned(classid, objid) AS (
           SELECT 'pg_catalog.pg_class'::regclass::oid, c.oid
           UNION SELECT d.classid, d.objid FROM pg_catalog.pg_depend d JOIN owned o ON d.refclassid = o.classid AND d.refobjid = o.objid
           WHERE d.deptype IN ('a', 'i'))
         SELECT FROM pg_catalog.pg_depend d JOIN owned o ON d.refclassid = o.classid AND d.refobjid = o.objid
         WHERE d.deptype = 'n' AND NOT EXISTS (SELECT FROM owned x WHERE x.classid = d.classid AND x.objid = d.objid)),
       c.relkind = 'r'
FROM pg_catalog.pg_inherits i
JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE i.inhparent = $1::oid
ORDER BY c.oid
)sql";

// By ranges of plain columns, without a default partition, nobody replicates it.
constexpr const char* kKey = R"sql(
SELECT a.attname
FROM pg_catalog.pg_partitioned_table p JOIN pg_catalog.pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]
WHERE p.partrelid = $1::oid AND p.partstrat = 'r' AND p.partdefid = 0 AND p.partnatts = 1
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_publication_tables t
                  JOIN pg_catalog.pg_class c ON c.relname = t.tablename
                  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname = t.schemaname
                  WHERE c.oid IN (SELECT relid FROM pg_catalog.pg_partition_tree($1::oid::regclass)))
)sql";

// Server 14 added inhdetachpending.
constexpr const char* kState = R"sql(
SELECT coalesce(to_jsonb(i) ->> 'inhdetachpending' = 'true', false), i.inhparent, i.inhparent = pg_catalog.to_regclass($2)
FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_inherits i ON i.inhrelid = c.oid
WHERE c.oid = $1::oid
)sql";

constexpr const char* kName = R"sql(
SELECT n.nspname, c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = $1::oid
)sql";

/// Names of every relation in the plan.
void add_relations(const base::Json& plan, std::set<std::pair<std::string, std::string>>& out) {
  if (plan.contains("Relation Name")) out.emplace(plan.value("Schema", ""), plan.value("Relation Name", ""));
  for (const auto& below : plan.value("Plans", base::Json::array())) add_relations(below, out);
}

/// The column whose ranges the partitions are, if the purge may drop them; empty: it may not.
std::string dropping_key(pg::Session& session, const Removal& removal) {
  if (session.server_version() < kVersionWithConcurrentDetach) return {};
  if (removal.table.kind != "p" || removal.archive || !removal.referrers.empty()) return {};
  if (!pg::delete_triggers(session, removal.table.oid).empty()) return {};
  if (!pg::read_swallowers(session, removal.table.oid, pg::RowEvent::kDelete).rules.empty()) return {};
  const auto bounded = job::columns_with_upper_bound(removal.selection.where);
  const auto key = session.exec(kKey, {std::to_string(removal.table.oid)});
  if (key.empty() || std::find(bounded.begin(), bounded.end(), key.text(0, 0)) == bounded.end()) return {};
  return key.text(0, 0);
}

std::string stays_sql(const Removal& removal, const std::string& partition_sql) {
  return "SELECT EXISTS (SELECT FROM ONLY " + partition_sql + " AS " +
         pg::Identifier(removal.table.name).sql() + "\nWHERE (" + removal.selection.where +
         "\n) IS NOT TRUE)";
}

/// The relations that rows which stay may be in; a row whose key is NULL is in no range.
std::set<std::pair<std::string, std::string>> others(pg::Session& session, const Removal& removal,
                                                     const std::string& key) {
  session.exec(kByBoundsAlone);
  const auto sql = "EXPLAIN (VERBOSE, COSTS OFF, FORMAT JSON) SELECT FROM " + removal.table.sql() +
                   "\nWHERE NOT (" + removal.selection.where + "\n) OR " + pg::Identifier(key).sql() +
                   " IS NULL";
  const auto plan = base::Json::parse(session.exec(sql).text(0, 0), nullptr, false);
  std::set<std::pair<std::string, std::string>> out;
  if (plan.is_array() && !plan.empty()) add_relations(plan.front().value("Plan", base::Json::object()), out);
  return out;
}

std::string written(const pg::Rows& rows) {
  std::string all;
  for (std::size_t i = 0; i < rows.size(); ++i) all += rows.text(i, 0) + " " + rows.text(i, 4) + "\n";
  return all;
}

}  // namespace

std::vector<WholePartition> read_whole_partitions(pg::Session& session, const Removal& removal) {
  std::vector<WholePartition> out;
  const auto key = dropping_key(session, removal);
  if (key.empty()) return out;
  pg::in_transaction(session, {}, [&] {
    const pg::Params oid{std::to_string(removal.table.oid)};
    const auto leaves = session.exec(kLeaves, oid);
    const auto kept = others(session, removal, key);
    // One that was attached in between is not in the plan, although its rows may stay.
    if (written(leaves) != written(session.exec(kLeaves, oid))) return true;
    for (std::size_t i = 0; i < leaves.size(); ++i) {
      if (leaves.boolean(i, 5) || !leaves.boolean(i, 6) ||
          kept.contains({leaves.text(i, 1), leaves.text(i, 2)}))
        continue;
      const auto sql = pg::Identifier(leaves.text(i, 1), leaves.text(i, 2)).sql();
      out.push_back({static_cast<std::uint32_t>(leaves.integer(i, 0)), sql, removal.table.sql(),
                     stays_sql(removal, sql), leaves.real(i, 3)});
    }
    if (out.size() == leaves.size()) out.clear();
    return true;
  });
  return out;
}

WholePartition known_partition(pg::Session& session, const Removal& removal, std::uint32_t oid) {
  const auto name = session.exec(kName, {std::to_string(oid)});
  if (name.empty()) return {};
  const auto sql = pg::Identifier(name.text(0, 0), name.text(0, 1)).sql();
  return {oid, sql, removal.table.sql(), stays_sql(removal, sql), 0};
}

PartitionState partition_state(pg::Session& session, std::uint32_t oid, const std::string& parent_sql) {
  const auto rows = session.exec(kState, {std::to_string(oid), parent_sql});
  if (rows.empty()) return PartitionState::kGone;
  if (rows.is_null(0, 1)) return PartitionState::kDetached;
  if (!rows.boolean(0, 2)) return PartitionState::kElsewhere;
  return rows.boolean(0, 0) ? PartitionState::kPending : PartitionState::kAttached;
}

}  // namespace pgsluice::engine
