#include "pg/activity/activity.hpp"

#include "pg/key.hpp"

namespace pgsluice::pg {
namespace {

// Returns one row even without a walsender, so that the flush position is always there.
constexpr const char* kReplication = R"sql(
SELECT pg_catalog.pg_current_wal_flush_lsn(), pg_catalog.pg_current_wal_insert_lsn(), r.pid IS NOT NULL, r.application_name, coalesce(r.client_addr::text, ''), r.state,
       r.replay_lsn,
       EXISTS (SELECT FROM pg_catalog.pg_replication_slots s WHERE s.active_pid = r.pid AND s.slot_type = 'logical'),
       r.backend_xmin IS NOT NULL, coalesce(r.sync_state, '')
FROM (SELECT) one LEFT JOIN pg_catalog.pg_stat_replication r ON true
)sql";

// pg_locks.waitstart came with 14; before that the statement's start is used, which is never later.
constexpr const char* kWaiters = R"sql(
WITH ours AS MATERIALIZED (
  SELECT array_agg(pid) AS pids FROM pg_catalog.pg_stat_activity WHERE starts_with(application_name, $1)
), waiting AS MATERIALIZED (
  SELECT a.pid, a.wait_event, a.query_start, a.application_name, left(a.query, 60) AS query,
         pg_catalog.pg_blocking_pids(a.pid) AS blockers
  FROM pg_catalog.pg_stat_activity a
  WHERE a.wait_event_type = 'Lock' AND NOT starts_with(a.application_name, $1)
)
SELECT w.pid,
       extract(epoch FROM clock_timestamp() - coalesce(
         (SELECT min(%WAITSTART%) FROM pg_catalog.pg_locks l WHERE l.pid = w.pid AND NOT l.granted), w.query_start)),
       w.wait_event = 'relation', w.blockers::text[], w.application_name, w.query
FROM waiting w, ours WHERE w.blockers && ours.pids
LIMIT 100
)sql";

constexpr const char* kCommitWait = R"sql(
SELECT coalesce(max(extract(epoch FROM clock_timestamp() - query_start)), 0)::float8
FROM pg_catalog.pg_stat_activity WHERE wait_event = 'SyncRep' AND starts_with(application_name, $1)
)sql";

constexpr const char* kExclusiveLockAwaited = R"sql(
SELECT EXISTS (
  SELECT FROM pg_catalog.pg_locks w
  JOIN pg_catalog.pg_locks h ON h.locktype = 'relation' AND h.database = w.database AND h.relation = w.relation
  WHERE w.locktype = 'relation' AND w.mode = 'AccessExclusiveLock' AND NOT w.granted
    AND h.granted AND h.pid = pg_catalog.pg_backend_pid())
)sql";

constexpr int kVersionWithWaitStart = 140000;

std::string waiters_sql(int server_version) {
  std::string sql = kWaiters;
  const std::string mark = "%WAITSTART%";
  return sql.replace(sql.find(mark), mark.size(),
                     server_version >= kVersionWithWaitStart ? "l.waitstart" : "NULL::timestamptz");
}

}  // namespace

ReplicationView read_replication(Session& session) {
  const auto rows = session.exec(kReplication, Params{});
  ReplicationView view;
  view.flush_lsn = rows.text(0, 0);
  view.insert_lsn = rows.text(0, 1);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!rows.boolean(i, 2)) continue;
    view.walsenders.push_back({rows.text(i, 3), rows.text(i, 4), rows.text(i, 5), rows.at(i, 6),
                               rows.boolean(i, 7), rows.text(i, 9), rows.boolean(i, 8)});
  }
  return view;
}

std::vector<Waiter> read_waiters(Session& session, const std::string& prefix) {
  const auto rows = session.exec(waiters_sql(session.server_version()), {prefix});
  std::vector<Waiter> waiters;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    Waiter w{static_cast<int>(rows.integer(i, 0)),
             rows.real(i, 1),
             rows.boolean(i, 2),
             {},
             rows.text(i, 4),
             rows.text(i, 5)};
    for (const auto& pid : from_array(rows.text(i, 3))) w.blockers.push_back(std::stoi(pid));
    waiters.push_back(std::move(w));
  }
  return waiters;
}

double read_commit_wait(Session& session, const std::string& prefix) {
  return session.exec(kCommitWait, {prefix}).real(0, 0);
}

bool is_exclusive_lock_awaited(Session& session) {
  return session.exec(kExclusiveLockAwaited, Params{}).boolean(0, 0);
}

bool can_see_activity(Session& session) {
  return session
      .exec(
          "SELECT pg_catalog.pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') OR "
          "current_setting('is_superuser') = 'on'",
          Params{})
      .boolean(0, 0);
}

bool is_in_recovery(Session& session) {
  return session.exec("SELECT pg_catalog.pg_is_in_recovery()", Params{}).boolean(0, 0);
}

}  // namespace pgsluice::pg
