#pragma once

#include <string>
#include <vector>

#include "pg/session.hpp"

namespace pgsluice::steps {

/// What stands under an index's name.
enum class IndexState {
  kMissing,
  kValid,
  kInvalid,   // a leftover of a build that was interrupted
  kBuilding,  // another session is at it
  kForeign,   // the name belongs to another table, or to something that is no index
};

/// `index_sql` and `table_sql` are quoted names.
IndexState index_state(pg::Session& session, const std::string& index_sql, const std::string& table_sql);

/// What an index step says of its index, but for its name and that of its table.
struct IndexWanted {
  std::string table;  // unquoted, without a schema: expressions may call columns by it
  bool is_unique = false;
  std::string body;  // what CREATE INDEX says behind the table's name
};

/// The definition of the index that is there, if it is another one than is wanted: unique or not, its method,
/// columns, their order, its predicate. Empty: they agree, or the role may not ask. The server itself
/// compares: it builds the other one over an empty temporary table, in a transaction that is rolled back.
/// Throws Failure if the connection is lost or the table locked.
std::string other_definition(pg::Session& session, const std::string& index_sql, const std::string& table_sql,
                             const IndexWanted& wanted);

/// What it sends before it compares; for `plan`.
std::vector<std::string> probe_sql(const std::string& table_sql, const IndexWanted& wanted);

/// The statement that removes a leftover, and that undoes the step.
std::string drop_index_sql(const std::string& index_sql);

/// Runs CREATE or DROP INDEX CONCURRENTLY outside a transaction with lock_timeout 0: a short one leaves an
/// INVALID index even when the blocker works on another table. Blocks for as long as the server needs;
/// Session::cancel() ends it. The settings are session-wide, so the session must be the caller's own, not a
/// pooler's.
void run_concurrently(pg::Session& session, const std::string& sql);

/// Schema-qualified, quoted name of the index: CREATE INDEX takes none, the index lives where its table
/// lives.
std::string index_in_schema_of(pg::Session& session, const std::string& table_sql,
                               const std::string& index_name);

/// "building index: 1,234 of 5,678 blocks, waiting for 1 transaction" of the build in progress on the table;
/// empty if none.
std::string build_progress(pg::Session& session, const std::string& table_sql);

}  // namespace pgsluice::steps
