#include "table/purge/where_reads.hpp"

#include "job/sql/expression.hpp"
#include "pg/identifier.hpp"
#include "pg/key.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::engine {
namespace {

// Named ($1, one at a time) is read with what a view reads and with partitions and children; changed ($2) are
// tables with theirs.
constexpr const char* kIsChanged = R"sql(
WITH RECURSIVE reads(oid) AS (
  SELECT pg_catalog.to_regclass($1)::oid
  UNION
  SELECT f.found FROM reads r CROSS JOIN LATERAL (
    SELECT i.inhrelid FROM pg_catalog.pg_inherits i WHERE i.inhparent = r.oid
    UNION ALL
    SELECT d.refobjid FROM pg_catalog.pg_rewrite w
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = w.oid
                               AND d.refclassid = 'pg_catalog.pg_class'::regclass
    WHERE w.ev_class = r.oid
  ) f(found)
), changed(oid) AS (
  SELECT pg_catalog.to_regclass(u.name)::oid FROM unnest($2::text[]) u(name)
  UNION
  SELECT i.inhrelid FROM changed c JOIN pg_catalog.pg_inherits i ON i.inhparent = c.oid
)
SELECT EXISTS (SELECT FROM reads JOIN changed USING (oid))
)sql";

/// As SQL finds it: without a schema, by the search_path.
std::string named_sql(const TableName& name) {
  return pg::Identifier(name.schema, name.name).sql();
}

std::vector<std::string> changed_tables(const Removal& removal) {
  std::vector<std::string> tables{removal.table.sql()};
  if (removal.archive) tables.push_back(removal.archive->table_sql);
  for (const auto& one : removal.referrers) {
    if (one.changes_rows() || is_named(one.table, removal.with)) tables.push_back(one.table_sql);
  }
  return tables;
}

}  // namespace

WhereReads read_where_reads(pg::Session& session, const Removal& removal) {
  WhereReads reads;
  const auto checked = job::check_expression(removal.selection.where);
  const auto* where = std::get_if<job::Expression>(&checked);
  if (where == nullptr || where->tables.empty()) return reads;
  const auto changed = pg::to_array(changed_tables(removal));
  for (const auto& table : where->tables) {
    const auto name = named_sql(table);
    const bool is_changed = session.exec(kIsChanged, {name, changed}).boolean(0, 0);
    (is_changed ? reads.changed : reads.others).push_back(name);
  }
  return reads;
}

void refuse_moving_where(const Removal& removal, const WhereReads& reads) {
  if (reads.changed.empty()) return;
  throw Error(ExitCode::kRefused,
              "a subquery of `where` reads " + reads.changed.front() + ", which the purge of table " +
                  removal.table.sql() + " changes: which rows go would shift with each batch",
              "store the value in a table of its own beforehand, and let the subquery read that");
}

}  // namespace pgsluice::engine
