#pragma once

#include <string>

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
