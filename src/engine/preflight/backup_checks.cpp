#include "engine/preflight/backup_checks.hpp"

#include "base/units.hpp"
#include "pg/activity/activity.hpp"
#include "pg/activity/health.hpp"
#include "pg/identifier.hpp"

namespace pgsluice::engine {
namespace {

constexpr const char* kCheck = "backups";

std::string archived_text(const pg::BackupTraces& traces) {
  return traces.last_archived_time.empty() ? "nothing was ever archived"
                                           : "the last success was at " + traces.last_archived_time;
}

}  // namespace

void judge_backups(const pg::BackupTraces& traces, Findings& findings) {
  if (traces.is_archiving && traces.is_archiver_failing) {
    findings.warn(
        kCheck,
        "the server cannot archive its WAL: " + base::format_count(traces.archiver_failures) +
            " failures, the last one with " + traces.last_failed_wal + " at " + traces.last_failed_time +
            "; " + archived_text(traces),
        "mend archive_command first: until then no backup reaches the present, and the server keeps "
        "all WAL of the job on its disk");
    return;
  }
  if (traces.is_archiving || traces.base_backups > 0 || traces.wal_receivers > 0 || !traces.tool.empty())
    return;
  findings.inform(kCheck,
                  "no backup is known here: archive_mode is off, no base backup is in progress, nobody "
                  "receives WAL to keep it, and no view of pgBackRest or Barman can be read",
                  "make sure that there is one: a rollback brings back what the job changed, not what was "
                  "lost by mistake");
}

void check_backups(pg::Session& session, Findings& findings) {
  if (pg::can_see_activity(session)) return judge_backups(pg::read_backup_traces(session), findings);
  const auto role = pg::Identifier(pg::current_role(session)).sql();
  findings.inform(kCheck, "cannot tell whether there is a backup: role " + role + " may not look",
                  "GRANT pg_monitor TO " + role);
}

}  // namespace pgsluice::engine
