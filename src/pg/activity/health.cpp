#include "pg/activity/health.hpp"

namespace pgsluice::pg {
namespace {

// Autovacuum's own snapshot does not keep old row versions. Walsenders show a transaction only for a base
// backup.
constexpr const char* kLongTransactions = R"sql(
SELECT pid, coalesce(usename, '?'), coalesce(nullif(application_name, ''), '?'), coalesce(state, backend_type, '?'),
       extract(epoch FROM now() - xact_start)::bigint
FROM pg_catalog.pg_stat_activity
WHERE xact_start < now() - make_interval(secs => $1::int) AND pid <> pg_catalog.pg_backend_pid()
  AND backend_type <> 'autovacuum worker'
ORDER BY xact_start LIMIT 5
)sql";

constexpr const char* kPrepared = R"sql(
SELECT gid, owner, extract(epoch FROM now() - prepared)::bigint
FROM pg_catalog.pg_prepared_xacts WHERE database = current_database() ORDER BY prepared LIMIT 5
)sql";

constexpr const char* kIdleSlots = R"sql(
SELECT slot_name, pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), restart_lsn)::bigint
FROM pg_catalog.pg_replication_slots WHERE NOT active AND restart_lsn IS NOT NULL ORDER BY 2 DESC
)sql";

constexpr const char* kWraparound = R"sql(
SELECT greatest(age(datfrozenxid), pg_catalog.mxid_age(datminmxid)) FROM pg_catalog.pg_database WHERE datname = current_database()
)sql";

// "AccessExclusiveLock" → "ACCESS EXCLUSIVE".
constexpr const char* kStrongLocks = R"sql(
SELECT coalesce(l.pid, 0), coalesce(a.usename, '?'), coalesce(nullif(a.application_name, ''), a.backend_type, '?'),
       upper(trim(regexp_replace(regexp_replace(l.mode, 'Lock$', ''), '([A-Z])', ' \1', 'g'))),
       coalesce(extract(epoch FROM now() - a.xact_start)::bigint, 0)
FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'relation' AND l.relation = $1::oid
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
  AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
  AND l.mode NOT IN ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')
ORDER BY a.xact_start NULLS FIRST LIMIT 5
)sql";

}  // namespace

std::vector<OpenTransaction> long_transactions(Session& session, std::int64_t age_min_s) {
  const auto rows = session.exec(kLongTransactions, {std::to_string(age_min_s)});
  std::vector<OpenTransaction> out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    out.push_back({static_cast<int>(rows.integer(i, 0)), rows.text(i, 1), rows.text(i, 2), rows.text(i, 3),
                   rows.integer(i, 4)});
  }
  return out;
}

std::vector<PreparedTransaction> prepared_transactions(Session& session) {
  const auto rows = session.exec(kPrepared, Params{});
  std::vector<PreparedTransaction> out;
  for (std::size_t i = 0; i < rows.size(); ++i)
    out.push_back({rows.text(i, 0), rows.text(i, 1), rows.integer(i, 2)});
  return out;
}

std::vector<IdleSlot> idle_slots(Session& session) {
  const auto rows = session.exec(kIdleSlots, Params{});
  std::vector<IdleSlot> out;
  for (std::size_t i = 0; i < rows.size(); ++i) out.push_back({rows.text(i, 0), rows.integer(i, 1)});
  return out;
}

std::int64_t wraparound_age(Session& session) {
  return session.exec(kWraparound, Params{}).integer(0, 0);
}

std::string synchronous_standby_names(Session& session) {
  return session.exec("SELECT current_setting('synchronous_standby_names')", Params{}).text(0, 0);
}

std::string current_database(Session& session) {
  return session.exec("SELECT current_database()", Params{}).text(0, 0);
}

std::string current_role(Session& session) {
  return session.exec("SELECT current_user", Params{}).text(0, 0);
}

std::vector<StrongLock> strong_locks(Session& session, std::uint32_t table_oid) {
  const auto rows = session.exec(kStrongLocks, {std::to_string(table_oid)});
  std::vector<StrongLock> out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    out.push_back({static_cast<int>(rows.integer(i, 0)), rows.text(i, 1), rows.text(i, 2), rows.text(i, 3),
                   rows.integer(i, 4)});
  }
  return out;
}

}  // namespace pgsluice::pg
