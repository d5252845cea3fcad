#pragma once

#include <string>
#include <vector>

#include "pg/connection/session.hpp"

namespace pgsluice::pg {

/// A foreign session that one of ours waits for. Fields that a role without pg_read_all_stats may not see are
/// empty.
struct Blocker {
  std::string waiting;        // application_name of our session
  bool is_for_table = false;  // ours waits for a lock on a table, not on one of its rows
  int pid = 0;                // 0: a prepared transaction
  std::string user;
  std::string application;
  std::string state;  // "idle in transaction"
  std::string query;  // its beginning; never printed in full: it may contain data
  double open_s = 0;  // seconds since its transaction began
};

/// What blocks the sessions whose application_name starts with `prefix` and that are waiting for a lock now.
/// They do not block each other for long, so waits among themselves are left out.
std::vector<Blocker> read_blockers(Session& session, const std::string& prefix);

}  // namespace pgsluice::pg
