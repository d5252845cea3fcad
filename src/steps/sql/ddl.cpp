#include "steps/sql/ddl.hpp"

#include "base/failpoint.hpp"
#include "pg/key.hpp"
#include "pg/transaction.hpp"

namespace pgsluice::steps {
namespace {

constexpr const char* kExists = R"sql(
SELECT c.relkind IN ('r', 'p') FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass($1)
)sql";

constexpr const char* kForeignKeyLock = "SHARE ROW EXCLUSIVE";  // on both tables

// Ordinary users see the state of their own sessions only; the pid is there for everybody.
constexpr const char* kHolders = R"sql(
SELECT DISTINCT l.pid, coalesce(a.usename, '?'), coalesce(nullif(a.application_name, ''), '?'),
       coalesce(a.state, a.backend_type, '?'), coalesce(extract(epoch FROM now() - a.xact_start)::int, 0), a.xact_start
FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'relation' AND l.granted AND l.pid <> pg_catalog.pg_backend_pid()
  AND l.relation = pg_catalog.to_regclass($1) AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
ORDER BY a.xact_start NULLS LAST LIMIT 5
)sql";

constexpr const char* kEndBlockers = R"sql(
SELECT a.pid, coalesce(a.usename, '?'), coalesce(nullif(a.application_name, ''), '?'), pg_catalog.pg_terminate_backend(a.pid)
FROM pg_catalog.pg_stat_activity a
WHERE a.backend_type = 'client backend' AND a.pid <> pg_catalog.pg_backend_pid()
  AND a.xact_start < clock_timestamp() - $2::bigint * interval '1 millisecond'
  AND a.pid IN (SELECT l.pid FROM pg_catalog.pg_locks l
                WHERE l.locktype = 'relation' AND l.granted
                  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
                  AND l.relation IN (SELECT pg_catalog.to_regclass(t) FROM unnest($1::text[]) t))
)sql";

std::string begin() {
  // No time zone or date style here, unlike in batches: the operator's DDL means what it means in psql. A
  // rewrite may take long, so only the waiting for locks is bounded.
  return "BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = " +
         std::to_string(pg::kIdleInTransaction.count());
}

std::string set_lock_timeout(std::chrono::milliseconds timeout) {
  return "SET LOCAL lock_timeout = " + std::to_string(timeout.count());
}

std::string gentle_lock(const std::string& table_sql, const std::vector<std::string>& others) {
  std::string list = table_sql;
  for (const auto& other : others) list += ", " + other;
  return "LOCK TABLE " + list + " IN SHARE UPDATE EXCLUSIVE MODE";
}

/// Both tables of a foreign key, its parent first, as a DELETE that cascades takes them; in the order of ADD
/// FOREIGN KEY the two wait for each other until the lock_timeout. Who inserts a child first takes no lock on
/// the parent that conflicts. Empty: one table only.
std::string lock_parent_first(const DdlStatement& s) {
  if (s.other_tables_sql.empty() || s.lock != kForeignKeyLock) return {};
  std::string list;
  for (const auto& other : s.other_tables_sql) list += other + ", ";
  return "LOCK TABLE " + list + s.table_sql + " IN " + kForeignKeyLock + " MODE";
}

void run(pg::Session& session, DdlStatement statement) {
  const bool is_there = is_existing_table(session, statement.table_sql);
  if (is_there) {
    auto& others = statement.other_tables_sql;
    std::erase_if(others, [&](const std::string& sql) { return !is_existing_table(session, sql); });
    session.exec(set_lock_timeout(kGentleLockTimeout));
    session.exec(gentle_lock(statement.table_sql, others));
  }
  if (const auto lock = lock_parent_first(statement); is_there && !lock.empty()) {
    session.exec(set_lock_timeout(kPairLockTimeout));
    session.exec(lock);
  }
  session.exec(set_lock_timeout(kDdlLockTimeout));
  session.exec(statement.sql);
}

}  // namespace

bool is_existing_table(pg::Session& session, const std::string& table_sql) {
  if (table_sql.empty()) return false;
  const auto rows = session.exec(kExists, {table_sql});
  return !rows.empty() && rows.boolean(0, 0);
}

bool attempt_ddl(pg::Session& session, const std::vector<DdlStatement>& statements,
                 const std::function<bool(pg::Session&)>& note) {
  session.exec(begin() + session.client_check());
  try {
    // The note first: a run that lost its lease must not even queue for the table's lock.
    if (!note(session)) {
      pg::rollback(session);
      return false;
    }
    for (const auto& statement : statements) {
      run(session, statement);
      base::failpoint("after_ddl");
    }
    pg::commit(session);
    base::failpoint("after_ddl_commit");
    return true;
  } catch (...) {
    pg::rollback(session);
    throw;
  }
}

std::vector<std::string> ddl_texts(const DdlStatement& statement) {
  std::vector<std::string> texts;
  if (!statement.table_sql.empty())
    texts.push_back(gentle_lock(statement.table_sql, statement.other_tables_sql));
  if (const auto lock = lock_parent_first(statement); !statement.table_sql.empty() && !lock.empty())
    texts.push_back(lock);
  texts.push_back(statement.sql);
  return texts;
}

std::string end_blockers(pg::Session& session, const std::vector<std::string>& tables,
                         std::chrono::milliseconds age) {
  const auto rows = session.exec(kEndBlockers, {pg::to_array(tables), std::to_string(age.count())});
  std::string words;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    words += "; pid " + rows.text(i, 0) + " (" + rows.text(i, 1) + ", " + rows.text(i, 2) + ")" +
             (rows.boolean(i, 3) ? " was ended" : " could not be ended");
  }
  return words;
}

std::vector<std::string> lock_holders(pg::Session& session, const std::string& table_sql) {
  if (table_sql.empty()) return {};
  const auto rows = session.exec(kHolders, {table_sql});
  std::vector<std::string> out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    out.push_back("pid " + rows.text(i, 0) + " (" + rows.text(i, 1) + ", " + rows.text(i, 2) + ", " +
                  rows.text(i, 3) + ", its transaction is " + rows.text(i, 4) + " s old)");
  }
  return out;
}

}  // namespace pgsluice::steps
