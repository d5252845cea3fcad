#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pg/connection/session.hpp"

namespace pgsluice::pg {

/// One walsender as the primary shows it.
struct Walsender {
  std::string application_name;
  std::string client_addr;
  std::string state;                  // "streaming", "catchup", "backup", …
  std::optional<std::string> replay;  // "0/3000060"
  bool is_logical = false;
  std::string sync_state;      // "async", "potential", "sync", "quorum"; empty: not visible
  bool holds_horizon = false;  // hot_standby_feedback: its queries keep old row versions here
};

struct ReplicationView {
  std::string flush_lsn;   // of the primary, read in the same statement
  std::string insert_lsn;  // the same; beyond the flush position lies what no replica can have
  std::vector<Walsender> walsenders;
};

/// Throws Failure. Without pg_monitor the columns are NULL: check can_see_activity() first.
ReplicationView read_replication(Session& session);

/// A session that waits for a lock that one of ours holds.
struct Waiter {
  int pid = 0;
  double waited_s = 0;
  bool waits_for_table = false;
  std::vector<int> blockers;
  std::string application_name;
  std::string query;  // first words only
};

/// Sessions that wait directly for a session whose application_name starts with `prefix`, except those
/// sessions themselves. pg_blocking_pids is asked only for sessions that wait (1.5 ms with 400 sessions and
/// 20,000 locks), pg_locks only for those that wait for us.
std::vector<Waiter> read_waiters(Session& session, const std::string& prefix);

/// How long the COMMIT of a session whose application_name starts with `prefix` has waited for a synchronous
/// standby, in seconds: the longest wait; 0 if none waits.
double read_commit_wait(Session& session, const std::string& prefix);

/// Whether another session waits for ACCESS EXCLUSIVE, which conflicts even with readers, on a table or index
/// that this session's transaction has locked.
bool is_exclusive_lock_awaited(Session& session);

/// Whether this role sees other sessions' state: superuser, pg_monitor, or pg_read_all_stats.
bool can_see_activity(Session& session);

/// True on a standby, where nothing can be written.
bool is_in_recovery(Session& session);

}  // namespace pgsluice::pg
