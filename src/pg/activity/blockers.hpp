#pragma once

#include <string>
#include <vector>

#include "pg/session.hpp"

namespace pgsluice::pg {

/// A session of others that one of ours waits for. What a role without pg_read_all_stats may not see of it is
/// empty.
struct Blocker {
  std::string waiting;        // application_name of ours
  bool is_for_table = false;  // ours waits for a lock on a table, not on one of its rows
  int pid = 0;                // 0: a prepared transaction
  std::string user;
  std::string application;
  std::string state;  // "idle in transaction"
  std::string query;  // begins with; never printed whole: it may hold data
  double open_s = 0;  // since its transaction began
};

/// For the sessions whose application_name starts with `prefix`, and wait for a lock just now. They do not
/// block each other for long, so what they wait for among themselves is left out.
std::vector<Blocker> read_blockers(Session& session, const std::string& prefix);

}  // namespace pgsluice::pg
