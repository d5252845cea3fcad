#include "kinds/retype/publication_checks.hpp"

#include <string>
#include <vector>

#include "kinds/retype/graph/names.hpp"
#include "pg/connection/transaction.hpp"
#include "pg/identifier.hpp"

namespace pgsluice::engine {
namespace {

constexpr int kVersionWithColumnLists = 150'000;

// FOR ALL TABLES and FOR TABLES IN SCHEMA name no table; a partition is sent under its own name or its
// parents'. to_jsonb, as servers before 15 have no column lists.
constexpr const char* kPublications = R"sql(
WITH part(oid) AS (
  SELECT $1::oid UNION SELECT relid FROM pg_catalog.pg_partition_tree($1::oid::regclass)
  UNION SELECT relid FROM pg_catalog.pg_partition_ancestors($1::oid::regclass)
)
SELECT p.pubname, bool_or(r.oid IS NOT NULL), bool_and(r.oid IS NOT NULL AND to_jsonb(r) ->> 'prattrs' IS NOT NULL)
FROM pg_catalog.pg_publication_tables v
JOIN pg_catalog.pg_publication p ON p.pubname = v.pubname
JOIN pg_catalog.pg_namespace n ON n.nspname = v.schemaname
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = v.tablename
LEFT JOIN pg_catalog.pg_publication_rel r ON r.prpubid = p.oid AND r.prrelid IN (SELECT oid FROM part)
WHERE c.oid IN (SELECT oid FROM part)
GROUP BY p.pubname ORDER BY p.pubname
)sql";

struct Publication {
  std::string name_sql;
  bool names_table = false;      // and so can drop it
  bool has_column_list = false;  // which lacks new columns
};

std::vector<Publication> publications_of(pg::Session& session, std::uint32_t table_oid) {
  const auto rows = session.exec(kPublications, {std::to_string(table_oid)});
  std::vector<Publication> out;
  for (std::size_t i = 0; i < rows.size(); ++i)
    out.push_back({pg::Identifier(rows.text(i, 0)).sql(), rows.boolean(i, 1), rows.boolean(i, 2)});
  return out;
}

/// What a subscriber needs before the retype begins.
std::string adding_sql(const steps::retype::Retype& retype, const steps::retype::GraphTable& table) {
  std::string sql = "ALTER TABLE " + table.sql();
  std::string separator = " ";
  for (const auto& column : table.columns) {
    sql += separator + "ADD COLUMN " + pg::Identifier(steps::retype::new_name(column.name)).sql() + " " +
           retype.step.to;
    separator = ", ";
  }
  return sql;
}

std::string way_out(pg::Session& session, const Publication& publication, const std::string& table_sql) {
  if (publication.names_table)
    return "ALTER PUBLICATION " + publication.name_sql + " DROP TABLE " + table_sql + " until contract";
  if (session.server_version() >= kVersionWithColumnLists)
    return "publish this table by name with a list of its present columns";
  return "publish the other tables by name";
}

void warn(pg::Session& session, const steps::retype::Retype& retype, const steps::retype::GraphTable& table,
          const Publication& publication, Findings& findings) {
  const auto sends = "publication " + publication.name_sql + " sends table " + table.sql();
  if (publication.has_column_list) {
    findings.warn(
        "publications",
        sends + " with a list of columns: from the cut-over on they are sent with type " + retype.step.to,
        "on each subscriber: ALTER SUBSCRIPTION … DISABLE before the cut-over, change the type there, "
        "then ENABLE");
    return;
  }
  findings.warn(
      "publications",
      sends + ": a subscriber without the new columns stops applying changes, and its slot keeps WAL here",
      "on each subscriber, before run: " + adding_sql(retype, table) +
          "; at the cut-over exchange the names there as well; or " +
          way_out(session, publication, table.sql()));
}

}  // namespace

void warn_of_publications(pg::Session& session, const steps::retype::Retype& retype, Findings& findings) {
  for (const auto& table : retype.graph.tables) {
    const auto publications =
        pg::in_transaction(session, {}, [&] { return publications_of(session, table.oid); });
    for (const auto& publication : publications) warn(session, retype, table, publication, findings);
  }
}

}  // namespace pgsluice::engine
