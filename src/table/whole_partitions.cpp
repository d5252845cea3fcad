#include "table/whole_partitions.hpp"

#include <algorithm>
#include <set>

#include "base/json.hpp"
#include "job/sql/expression.hpp"
#include "pg/catalog/swallowers.hpp"
#include "pg/connection/transaction.hpp"
#include "pg/identifier.hpp"

namespace pgsluice::engine {
namespace {

constexpr int kVersionWithConcurrentDetach = 140000;

// Only what the bounds prove counts, not what constraints seem to.
constexpr const char* kByBoundsAlone =
    "SET LOCAL enable_partition_pruning = on; SET LOCAL constraint_exclusion = off";

constexpr const char* kLeaves = R"sql(
SELECT t.relid::oid, n.nspname, c.relname, pn.nspname, pc.relname, greatest(c.reltuples, 0)::float8,
       EXISTS (SELECT FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class d ON d.oid = i.inhrelid
               WHERE i.inhparent = pc.oid AND pg_catalog.pg_get_expr(d.relpartbound, d.oid) = 'DEFAULT')
FROM pg_catalog.pg_partition_tree($1::oid::regclass) t
JOIN pg_catalog.pg_class c ON c.oid = t.relid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class pc ON pc.oid = t.parentrelid JOIN pg_catalog.pg_namespace pn ON pn.oid = pc.relnamespace
WHERE t.isleaf AND c.relkind = 'r'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                  WHERE d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = c.oid AND d.deptype = 'n')
ORDER BY t.relid
)sql";

// Of every level; an expression in a partition key has no column to be NULL.
constexpr const char* kKeyColumns = R"sql(
SELECT DISTINCT coalesce(a.attname, '')
FROM pg_catalog.pg_partitioned_table p
CROSS JOIN LATERAL unnest(p.partattrs::int2[]) AS k(attnum)
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = k.attnum AND k.attnum > 0
WHERE p.partrelid IN (SELECT t.relid FROM pg_catalog.pg_partition_tree($1::oid::regclass) t)
)sql";

constexpr const char* kState = R"sql(
SELECT coalesce((SELECT to_jsonb(i) ->> 'inhdetachpending' = 'true' FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid), false),
       EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid)
FROM pg_catalog.pg_class c WHERE c.oid = $1::oid
)sql";

/// "schema.table" of every relation in the plan.
void add_relations(const base::Json& plan, std::set<std::pair<std::string, std::string>>& out) {
  if (plan.contains("Relation Name")) out.emplace(plan.value("Schema", ""), plan.value("Relation Name", ""));
  for (const auto& below : plan.value("Plans", base::Json::array())) add_relations(below, out);
}

bool may_be_dropped(pg::Session& session, const Removal& removal) {
  if (removal.table.kind != "p" || removal.archive || !removal.referrers.empty()) return false;
  if (!pg::delete_triggers(session, removal.table.oid).empty()) return false;
  if (!pg::read_swallowers(session, removal.table.oid, pg::RowEvent::kDelete).rules.empty()) return false;
  const auto checked = job::check_expression(removal.selection.where);
  const auto* where = std::get_if<job::Expression>(&checked);
  return where && !where->has_query;
}

/// Rows that stay, or might: a row whose key is NULL is in no range.
std::string others_sql(pg::Session& session, const Removal& removal) {
  std::string sql = "EXPLAIN (VERBOSE, COSTS OFF, FORMAT JSON) SELECT FROM " + removal.table.sql() +
                    "\nWHERE NOT (" + removal.selection.where + "\n)";
  const auto columns = session.exec(kKeyColumns, {std::to_string(removal.table.oid)});
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns.text(i, 0).empty()) return {};
    sql += " OR " + pg::Identifier(columns.text(i, 0)).sql() + " IS NULL";
  }
  return sql;
}

}  // namespace

std::vector<WholePartition> read_whole_partitions(pg::Session& session, const Removal& removal) {
  std::vector<WholePartition> out;
  if (!may_be_dropped(session, removal)) return out;
  pg::in_transaction(session, {}, [&] {
    session.exec(kByBoundsAlone);
    const auto sql = others_sql(session, removal);
    if (sql.empty()) return true;
    const auto plan = base::Json::parse(session.exec(sql).text(0, 0), nullptr, false);
    if (!plan.is_array() || plan.empty()) return true;
    std::set<std::pair<std::string, std::string>> kept;
    add_relations(plan.front().value("Plan", base::Json::object()), kept);
    const auto leaves = session.exec(kLeaves, {std::to_string(removal.table.oid)});
    const bool is_new_enough = session.server_version() >= kVersionWithConcurrentDetach;
    for (std::size_t i = 0; i < leaves.size(); ++i) {
      if (kept.contains({leaves.text(i, 1), leaves.text(i, 2)})) continue;
      out.push_back({static_cast<std::uint32_t>(leaves.integer(i, 0)),
                     pg::Identifier(leaves.text(i, 1), leaves.text(i, 2)).sql(),
                     pg::Identifier(leaves.text(i, 3), leaves.text(i, 4)).sql(),
                     is_new_enough && !leaves.boolean(i, 6), leaves.real(i, 5)});
    }
    return true;
  });
  return out;
}

PartitionState partition_state(pg::Session& session, std::uint32_t oid) {
  const auto rows = session.exec(kState, {std::to_string(oid)});
  if (rows.empty()) return PartitionState::kGone;
  if (rows.boolean(0, 0)) return PartitionState::kPending;
  return rows.boolean(0, 1) ? PartitionState::kAttached : PartitionState::kDetached;
}

}  // namespace pgsluice::engine
