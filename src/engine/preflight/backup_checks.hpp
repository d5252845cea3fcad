#pragma once

#include "pg/activity/backup_traces.hpp"
#include "pg/connection/session.hpp"
#include "telling/findings.hpp"

namespace pgsluice::engine {

/// Warns of an archiver that fails, which also fills the server's disk with the job's WAL; informs where
/// nothing shows a backup, because a backup may exist that no server knows of. Never refuses. Pure.
void judge_backups(const pg::BackupTraces& traces, Findings& findings);

/// The same for this server. Blocks. Throws Failure.
void check_backups(pg::Session& session, Findings& findings);

}  // namespace pgsluice::engine
