#include "table/purge/archive_triggers.hpp"

namespace pgsluice::engine {
namespace {

// Partitions have triggers of their own. Bit 2 of tgtype is INSERT.
constexpr const char* kTriggers = R"sql(
SELECT DISTINCT t.tgname FROM pg_catalog.pg_trigger t
WHERE NOT t.tgisinternal AND t.tgtype & 4 <> 0
  AND t.tgrelid IN (SELECT pg_catalog.to_regclass($1)::oid
                    UNION ALL SELECT p.relid FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass($1)) p)
  AND t.tgenabled::text = ANY (CASE pg_catalog.current_setting('session_replication_role') WHEN 'replica' THEN '{R,A}' ELSE '{O,A}' END::text[])
ORDER BY t.tgname
)sql";

}  // namespace

std::vector<std::string> archive_triggers(pg::Session& session, const Removal& removal) {
  std::vector<std::string> out;
  if (!removal.archive) return out;
  const auto rows = session.exec(kTriggers, {removal.archive->table_sql});
  for (std::size_t i = 0; i < rows.size(); ++i) out.push_back(rows.text(i, 0));
  return out;
}

}  // namespace pgsluice::engine
