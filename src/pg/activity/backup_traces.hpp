#pragma once

#include <cstdint>
#include <string>

#include "pg/connection/session.hpp"

namespace pgsluice::pg {

/// What a server itself shows of backups. No server knows all of it: snapshots of its disks leave no trace.
struct BackupTraces {
  bool is_archiving = false;           // archive_mode is not off
  bool is_archiver_failing = false;    // the last attempt failed
  std::int64_t archiver_failures = 0;  // since the statistics were reset
  std::string last_failed_wal;         // a file's name
  std::string last_failed_time;        // as the server writes it
  std::string last_archived_time;      // the same; empty: never
  int base_backups = 0;                // in progress
  int wal_receivers = 0;               // of pg_receivewal, Barman and their like
  std::string tool;                    // a readable view or function of a backup tool, quoted; empty: none
};

/// REQUIRES: can_see_activity(). Reads the catalog and the statistics views only. Throws Failure.
BackupTraces read_backup_traces(Session& session);

}  // namespace pgsluice::pg
