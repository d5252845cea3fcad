#include "kinds/ddl/ddl.hpp"

#include <string_view>

#include "base/failpoint.hpp"
#include "pg/connection/transaction.hpp"
#include "pg/key.hpp"

namespace pgsluice::steps {
namespace {

constexpr const char* kExists = R"sql(
SELECT c.relkind IN ('r', 'p') FROM pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass($1)
)sql";

constexpr const char* kReferencedTillNow = R"sql(
SELECT DISTINCT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname)
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class c ON c.oid = k.confrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE k.conrelid = pg_catalog.to_regclass($1) AND k.contype = 'f' AND k.confrelid <> k.conrelid
  AND ($2 OR k.conname = ANY ($3::text[])
       OR EXISTS (SELECT FROM pg_catalog.pg_attribute a
                  WHERE a.attrelid = k.conrelid AND a.attnum = ANY (k.conkey) AND a.attname = ANY ($4::text[])))
ORDER BY 1
)sql";

// Invalid table definition: what the server says of a second primary key, among others.
constexpr std::string_view kSecondPrimaryKey = "42P16";

constexpr const char* kForeignKeyLock = "SHARE ROW EXCLUSIVE";  // on both tables

std::string begin() {
  // Unlike batches, this sets no time zone or date style: the operator's DDL means what it means in psql. A
  // rewrite may take long, so only the wait for locks is bounded.
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

/// Both tables of a foreign key, parent first, in the order in which a cascading DELETE locks them; in the
/// order of ADD FOREIGN KEY the two would wait for each other until the lock_timeout. A session that inserts
/// a child first takes no conflicting lock on the parent. Empty if there is only one table.
std::string lock_parent_first(const DdlStatement& s) {
  if (s.other_tables_sql.empty() || s.lock != kForeignKeyLock) return {};
  std::string list;
  for (const auto& other : s.other_tables_sql) list += other + ", ";
  return "LOCK TABLE " + list + s.table_sql + " IN " + kForeignKeyLock + " MODE";
}

/// Locks what the statement needs, gently first.
void lock_for(pg::Session& session, DdlStatement statement) {
  const bool is_there = is_existing_table(session, statement.table_sql);
  if (is_there) {
    auto& others = statement.other_tables_sql;
    for (auto& referenced : tables_referenced_till_now(session, statement))
      others.push_back(std::move(referenced));
    std::erase_if(others, [&](const std::string& sql) { return !is_existing_table(session, sql); });
    session.exec(set_lock_timeout(kGentleLockTimeout));
    session.exec(gentle_lock(statement.table_sql, others));
  }
  if (const auto lock = lock_parent_first(statement); is_there && !lock.empty()) {
    session.exec(set_lock_timeout(kPairLockTimeout));
    session.exec(lock);
  }
  session.exec(set_lock_timeout(kDdlLockTimeout));
}

/// Runs the statement; false if it counts as done because all that it makes is there.
bool run(pg::Session& session, const DdlStatement& statement, std::size_t place,
         const Recogniser& recogniser) {
  lock_for(session, statement);
  if (!statement.may_exist || !recogniser.is_there) {
    session.exec(statement.sql);
    return true;
  }
  session.exec("SAVEPOINT pgsluice_statement");
  try {
    session.exec(statement.sql);
  } catch (const pg::Failure& f) {
    if (!pg::exists_already(f.sqlstate()) && f.sqlstate() != kSecondPrimaryKey) throw;
    session.exec("ROLLBACK TO SAVEPOINT pgsluice_statement");
    if (!recogniser.is_there(session, place)) throw;
    return false;
  }
  session.exec("RELEASE SAVEPOINT pgsluice_statement");
  return true;
}

}  // namespace

bool is_existing_table(pg::Session& session, const std::string& table_sql) {
  if (table_sql.empty()) return false;
  const auto rows = session.exec(kExists, {table_sql});
  return !rows.empty() && rows.boolean(0, 0);
}

std::vector<std::string> tables_referenced_till_now(pg::Session& session, const DdlStatement& statement) {
  std::vector<std::string> tables;
  const bool drops = statement.is_table_dropped || !statement.columns_dropped.empty() ||
                     !statement.constraints_dropped.empty();
  if (!drops || statement.table_sql.empty()) return tables;
  const auto rows =
      session.exec(kReferencedTillNow,
                   {statement.table_sql, statement.is_table_dropped ? "true" : "false",
                    pg::to_array(statement.constraints_dropped), pg::to_array(statement.columns_dropped)});
  for (std::size_t i = 0; i < rows.size(); ++i) tables.push_back(rows.text(i, 0));
  return tables;
}

bool attempt_ddl(pg::Session& session, const std::vector<DdlStatement>& statements,
                 const std::function<bool(pg::Session&)>& note, const Recogniser& recogniser) {
  session.exec(begin() + session.client_check());
  try {
    // The note comes first: a run that lost its lease must not even queue for the table's lock.
    if (!note(session)) {
      pg::rollback(session);
      return false;
    }
    std::vector<std::size_t> found;
    for (std::size_t i = 0; i < statements.size(); ++i) {
      if (!run(session, statements[i], i, recogniser)) found.push_back(i);
      base::failpoint("after_ddl");
    }
    if (!found.empty()) recogniser.note(session, found);
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

}  // namespace pgsluice::steps
