#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pg/connection/session.hpp"

namespace pgsluice::pg {

/// Server conditions that make a long change slower, larger or dangerous. Every function reads only the
/// catalog and the statistics views; what the role may not see is left out. All throw Failure.

/// A transaction of another session that has been open for long: old row versions cannot be removed until it
/// ends.
struct OpenTransaction {
  int pid = 0;
  std::string user;
  std::string application;
  std::string state;  // "active", "idle in transaction", …
  std::int64_t age_s = 0;
};
/// The five oldest that are older than `age_min_s` seconds, in any database, except autovacuum's.
std::vector<OpenTransaction> long_transactions(Session& session, std::int64_t age_min_s);

/// A transaction prepared for a two-phase commit: it keeps its locks until it is committed or rolled back by
/// name.
struct PreparedTransaction {
  std::string name;
  std::string owner;
  std::int64_t age_s = 0;
};
std::vector<PreparedTransaction> prepared_transactions(Session& session);

/// A replication slot that nobody reads from: the server keeps all WAL for it.
struct IdleSlot {
  std::string name;
  std::int64_t retained_bytes = 0;
};
std::vector<IdleSlot> idle_slots(Session& session);

/// Transactions since the database's oldest row was frozen; the server stops writing at 2,000,000,000. From
/// half of that on, freezing comes before any other large change.
constexpr std::int64_t kWraparoundWarn = 1'000'000'000;
std::int64_t wraparound_age(Session& session);

/// The setting's value; empty: commits wait for no standby.
std::string synchronous_standby_names(Session& session);

/// The database that this session is connected to.
std::string current_database(Session& session);

/// The role that statements run as.
std::string current_role(Session& session);

/// A lock on a table that keeps others from changing its rows.
struct StrongLock {
  int pid = 0;
  std::string user;
  std::string application;
  std::string mode;        // "ACCESS EXCLUSIVE"
  std::int64_t age_s = 0;  // of the transaction; 0 for a prepared one
};
/// Locks stronger than ROW EXCLUSIVE that others hold or wait for on the table, autovacuum's included.
std::vector<StrongLock> strong_locks(Session& session, std::uint32_t table_oid);

}  // namespace pgsluice::pg
