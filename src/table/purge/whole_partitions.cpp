#include "table/purge/whole_partitions.hpp"

#include <algorithm>
#include <set>

#include "base/json.hpp"
#include "job/condition/upper_bounds.hpp"
#include "pg/catalog/swallowers.hpp"
#include "pg/connection/transaction.hpp"
#include "pg/identifier.hpp"
#include "table/purge/archive_triggers.hpp"

namespace pgsluice::engine {
namespace {

constexpr int kVersionWithConcurrentDetach = 140000;
// Nobody waits long behind it; it builds at most indexes of an empty table.
constexpr pg::TransactionLimits kTrialLimits{std::chrono::milliseconds{300}, std::chrono::milliseconds{2'000},
                                             true};

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
       c.relkind = 'r', pg_catalog.pg_get_expr(c.relpartbound, c.oid)
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

// Partitioned by ranges of the same column, without a default partition whose rows would be read; the same
// columns; no CHECK that a partition would have to have; and no foreign key that a partition would bring
// along.
constexpr const char* kAlike = R"sql(
WITH archive(oid) AS (SELECT pg_catalog.to_regclass($2)::oid),
     cols AS (SELECT a.attrelid, a.attname, a.atttypid, a.atttypmod, a.attcollation, a.attgenerated::text, a.attnotnull
              FROM pg_catalog.pg_attribute a WHERE a.attrelid IN ($1::oid, (SELECT oid FROM archive)) AND a.attnum > 0 AND NOT a.attisdropped),
     pairs AS (SELECT t.attname AS here, c.attname AS there, c.attnotnull AND NOT t.attnotnull AS is_stricter
               FROM (SELECT * FROM cols WHERE attrelid = $1::oid) t
               FULL JOIN (SELECT * FROM cols WHERE attrelid <> $1::oid) c USING (attname, atttypid, atttypmod, attcollation, attgenerated))
SELECT EXISTS (SELECT FROM pg_catalog.pg_partitioned_table p
               JOIN pg_catalog.pg_attribute a ON a.attrelid = p.partrelid AND a.attnum = p.partattrs[0]
               WHERE p.partrelid = (SELECT oid FROM archive) AND p.partstrat = 'r' AND p.partnatts = 1 AND p.partdefid = 0 AND a.attname = $3)
  AND NOT EXISTS (SELECT FROM pairs WHERE here IS NULL OR there IS NULL OR is_stricter)
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_constraint k
                  WHERE k.contype IN ('c', 'f') AND k.conrelid = (SELECT oid FROM archive)
                     OR k.contype = 'f' AND k.conrelid IN (SELECT relid FROM pg_catalog.pg_partition_tree($1::oid::regclass)))
)sql";

// Server 14 added inhdetachpending.
constexpr const char* kState = R"sql(
SELECT coalesce(to_jsonb(i) ->> 'inhdetachpending' = 'true', false), i.inhparent, i.inhparent = pg_catalog.to_regclass($2),
       coalesce(i.inhparent = pg_catalog.to_regclass(nullif($3, '')), false)
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

/// As far as the catalog shows.
bool takes_partitions(pg::Session& session, const Removal& removal, const std::string& key) {
  if (!removal.archive) return true;
  if (!removal.archive->preparing.empty() || !archive_triggers(session, removal).empty()) return false;
  return session.exec(kAlike, {std::to_string(removal.table.oid), removal.archive->table_sql, key})
      .boolean(0, 0);
}

std::string archive_sql(const Removal& removal) {
  return removal.archive ? removal.archive->table_sql : std::string();
}

/// The column whose ranges the partitions are, if the purge may take them whole; empty: it may not.
std::string dropping_key(pg::Session& session, const Removal& removal) {
  if (session.server_version() < kVersionWithConcurrentDetach) return {};
  if (removal.table.kind != "p" || !removal.referrers.empty()) return {};
  if (!pg::delete_triggers(session, removal.table.oid).empty()) return {};
  if (!pg::read_swallowers(session, removal.table.oid, pg::RowEvent::kDelete).rules.empty()) return {};
  const auto bounded = job::columns_with_upper_bound(removal.selection.where);
  const auto key = session.exec(kKey, {std::to_string(removal.table.oid)});
  if (key.empty() || std::find(bounded.begin(), bounded.end(), key.text(0, 0)) == bounded.end()) return {};
  return takes_partitions(session, removal, key.text(0, 0)) ? key.text(0, 0) : std::string();
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
                     stays_sql(removal, sql), leaves.real(i, 3), leaves.text(i, 7), archive_sql(removal)});
    }
    if (out.size() == leaves.size()) out.clear();
    return true;
  });
  return out;
}

WholePartition known_partition(pg::Session& session, const Removal& removal, std::uint32_t oid,
                               const std::string& bounds) {
  const auto name = session.exec(kName, {std::to_string(oid)});
  if (name.empty()) return {};
  const auto sql = pg::Identifier(name.text(0, 0), name.text(0, 1)).sql();
  return {oid, sql, removal.table.sql(), stays_sql(removal, sql), 0, bounds, archive_sql(removal)};
}

std::string attach_sql(const WholePartition& partition) {
  return "ALTER TABLE " + partition.archive_sql + " ATTACH PARTITION " + partition.table_sql + " " +
         partition.bounds;
}

std::vector<std::string> trial_statements(const WholePartition& partition) {
  if (partition.archive_sql.empty()) return {};
  auto likeness = partition;
  likeness.table_sql = "pgsluice.\"likeness of " + std::to_string(partition.oid) + "\"";
  return {"CREATE TABLE " + likeness.table_sql + " (LIKE " + partition.table_sql + " INCLUDING GENERATED)",
          attach_sql(likeness)};
}

bool is_taken(pg::Session& session, const WholePartition& partition) try {
  if (partition.archive_sql.empty()) return true;
  session.exec(pg::begin_sql(kTrialLimits));
  for (const auto& sql : trial_statements(partition)) session.exec(sql);
  pg::rollback(session);
  return true;
} catch (const pg::Failure& f) {
  if (f.is_connection_lost()) throw;
  pg::rollback(session);
  return false;
}

PartitionState partition_state(pg::Session& session, const WholePartition& partition) {
  const auto rows =
      session.exec(kState, {std::to_string(partition.oid), partition.parent_sql, partition.archive_sql});
  if (rows.empty()) return PartitionState::kGone;
  if (rows.is_null(0, 1)) return PartitionState::kDetached;
  if (rows.boolean(0, 3)) return PartitionState::kArchived;
  if (!rows.boolean(0, 2)) return PartitionState::kElsewhere;
  return rows.boolean(0, 0) ? PartitionState::kPending : PartitionState::kAttached;
}

}  // namespace pgsluice::engine
