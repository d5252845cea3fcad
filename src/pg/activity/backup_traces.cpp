#include "pg/activity/backup_traces.hpp"

namespace pgsluice::pg {
namespace {

constexpr int kShowsBaseBackups = 130'000;  // since then there is pg_stat_progress_basebackup

constexpr const char* kArchiver = R"sql(
SELECT current_setting('archive_mode') <> 'off',
       coalesce(last_failed_time > coalesce(last_archived_time, '-infinity'), false),
       failed_count, coalesce(last_failed_wal, ''),
       coalesce(to_char(last_failed_time, 'YYYY-MM-DD HH24:MI:SS TZ'), ''),
       coalesce(to_char(last_archived_time, 'YYYY-MM-DD HH24:MI:SS TZ'), '')
FROM pg_catalog.pg_stat_archiver
)sql";

constexpr const char* kBaseBackups = "SELECT count(*) FROM pg_catalog.pg_stat_progress_basebackup";
// Older servers show the same by the walsender's state.
constexpr const char* kBaseBackupsBefore13 =
    "SELECT count(*) FROM pg_catalog.pg_stat_replication WHERE state = 'backup'";

constexpr const char* kWalReceivers = R"sql(
SELECT count(*) FROM pg_catalog.pg_stat_replication
WHERE application_name IN ('pg_receivewal', 'barman_receive_wal') OR application_name ILIKE '%barman%'
)sql";

// As the manuals of these tools name them; a schema of their name counts too.
constexpr const char* kTool = R"sql(
SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(o.name)
FROM pg_catalog.pg_namespace n
JOIN (SELECT relnamespace AS schema, relname AS name
      FROM pg_catalog.pg_class
      WHERE relkind IN ('r', 'v', 'm', 'f', 'p') AND pg_catalog.has_table_privilege(oid, 'SELECT')
      UNION ALL
      SELECT pronamespace, proname FROM pg_catalog.pg_proc
      WHERE pg_catalog.has_function_privilege(oid, 'EXECUTE')) o ON o.schema = n.oid
WHERE (n.nspname || '.' || o.name) ~* '(pgbackrest|barman)' AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
ORDER BY 1 LIMIT 1
)sql";

}  // namespace

BackupTraces read_backup_traces(Session& session) {
  BackupTraces traces;
  const auto archiver = session.exec(kArchiver, Params{});
  traces.is_archiving = archiver.boolean(0, 0);
  traces.is_archiver_failing = archiver.boolean(0, 1);
  traces.archiver_failures = archiver.integer(0, 2);
  traces.last_failed_wal = archiver.text(0, 3);
  traces.last_failed_time = archiver.text(0, 4);
  traces.last_archived_time = archiver.text(0, 5);
  const bool is_shown = session.server_version() >= kShowsBaseBackups;
  const auto* base_backups = is_shown ? kBaseBackups : kBaseBackupsBefore13;
  traces.base_backups = static_cast<int>(session.exec(base_backups, Params{}).integer(0, 0));
  traces.wal_receivers = static_cast<int>(session.exec(kWalReceivers, Params{}).integer(0, 0));
  const auto tool = session.exec(kTool, Params{});
  if (tool.size() > 0) traces.tool = tool.text(0, 0);
  return traces;
}

}  // namespace pgsluice::pg
