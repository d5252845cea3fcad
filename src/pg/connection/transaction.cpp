#include "pg/connection/transaction.hpp"

namespace pgsluice::pg {

std::string begin_sql(const TransactionLimits& limits) {
  std::string sql =
      std::string("BEGIN ISOLATION LEVEL ") + (limits.is_one_snapshot ? "REPEATABLE READ" : "READ COMMITTED");
  const auto set = [&sql](const char* name, const std::string& value) {
    sql += std::string("; SET LOCAL ") + name + " = " + value;
  };
  set("lock_timeout", std::to_string(limits.lock_timeout.count()));
  set("statement_timeout", std::to_string(limits.statement_timeout.count()));
  set("idle_in_transaction_session_timeout", std::to_string(kIdleInTransaction.count()));
  if (!limits.is_synchronous) set("synchronous_commit", "off");
  set("datestyle", "'ISO'");
  set("intervalstyle", "'postgres'");
  set("timezone", "'UTC'");
  set("extra_float_digits", "3");
  set("row_security", "off");
  return sql;
}

void begin(Session& session, const TransactionLimits& limits) {
  session.exec(begin_sql(limits) + session.client_check());
}

void commit(Session& session, const std::string& sql) {
  try {
    session.exec(sql);
  } catch (const Failure& f) {
    if (f.is_connection_lost()) throw InDoubt(f.sqlstate(), f.what(), true);
    throw;
  }
}

}  // namespace pgsluice::pg
