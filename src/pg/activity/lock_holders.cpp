#include "pg/activity/lock_holders.hpp"

#include "pg/key.hpp"

namespace pgsluice::pg {
namespace {

// Ordinary users see only the state of their own sessions; the pid is visible to everybody.
constexpr const char* kHolders = R"sql(
SELECT DISTINCT l.pid, coalesce(a.usename, '?'), coalesce(nullif(a.application_name, ''), '?'),
       coalesce(a.state, a.backend_type, '?'), coalesce(extract(epoch FROM now() - a.xact_start)::int, 0), a.xact_start
FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'relation' AND l.granted AND l.pid <> pg_catalog.pg_backend_pid()
  AND l.relation = pg_catalog.to_regclass($1) AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
ORDER BY a.xact_start NULLS LAST LIMIT 5
)sql";

constexpr const char* kEndBlockers = R"sql(
SELECT a.pid, coalesce(a.usename, '?'), coalesce(nullif(a.application_name, ''), '?'), pg_catalog.pg_terminate_backend(a.pid)
FROM pg_catalog.pg_stat_activity a
WHERE a.backend_type = 'client backend' AND a.pid <> pg_catalog.pg_backend_pid()
  AND a.xact_start < clock_timestamp() - $2::bigint * interval '1 millisecond'
  AND a.pid IN (SELECT l.pid FROM pg_catalog.pg_locks l
                WHERE l.locktype = 'relation' AND l.granted
                  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
                  AND l.relation IN (SELECT pg_catalog.to_regclass(t) FROM unnest($1::text[]) t))
)sql";

}  // namespace

std::string end_blockers(Session& session, const std::vector<std::string>& tables,
                         std::chrono::milliseconds age) {
  const auto rows = session.exec(kEndBlockers, {to_array(tables), std::to_string(age.count())});
  std::string words;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    words += "; pid " + rows.text(i, 0) + " (" + rows.text(i, 1) + ", " + rows.text(i, 2) + ")" +
             (rows.boolean(i, 3) ? " was ended" : " could not be ended");
  }
  return words;
}

std::vector<std::string> lock_holders(Session& session, const std::string& table_sql) {
  if (table_sql.empty()) return {};
  const auto rows = session.exec(kHolders, {table_sql});
  std::vector<std::string> out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    out.push_back("pid " + rows.text(i, 0) + " (" + rows.text(i, 1) + ", " + rows.text(i, 2) + ", " +
                  rows.text(i, 3) + ", its transaction is " + rows.text(i, 4) + " s old)");
  }
  return out;
}

}  // namespace pgsluice::pg
