#pragma once

#include <string>
#include <vector>

#include "pg/connection/session.hpp"

namespace pgsluice::steps {

/// What an index's name refers to.
enum class IndexState {
  kMissing,
  kValid,
  kInvalid,   // a leftover of a build that was interrupted
  kBuilding,  // another session is building it
  kForeign,   // the name belongs to another table's index, or to something that is not an index
};

/// `index_sql` and `table_sql` are quoted names.
IndexState index_state(pg::Session& session, const std::string& index_sql, const std::string& table_sql);

/// What an index step says about its index, except the names of the index and its table.
struct IndexWanted {
  std::string table;  // unquoted, without a schema: expressions may qualify columns with it
  bool is_unique = false;
  std::string body;  // what CREATE INDEX says after the table's name
};

/// The definition of the existing index, if it differs from the wanted one in uniqueness, method, columns,
/// their order or predicate. Empty if they agree, or the role may not ask. The server itself compares: it
/// builds the wanted index on an empty temporary table, in a transaction that is rolled back. Throws Failure
/// if the connection is lost or the table is locked.
std::string other_definition(pg::Session& session, const std::string& index_sql, const std::string& table_sql,
                             const IndexWanted& wanted);

/// The same in the caller's transaction, which keeps the probe: the caller rolls it back. Throws Failure for
/// whatever fails.
std::string other_definition_within(pg::Session& session, const std::string& index_sql,
                                    const std::string& table_sql, const IndexWanted& wanted);

/// What the comparison sends first; for `plan`.
std::vector<std::string> probe_sql(const std::string& table_sql, const IndexWanted& wanted);

/// The statement that removes a leftover, and that undoes the step.
std::string drop_index_sql(const std::string& index_sql);

/// Runs CREATE or DROP INDEX CONCURRENTLY outside a transaction with lock_timeout 0: a short one leaves an
/// INVALID index even when the blocker works on another table. Blocks for as long as the server needs;
/// Session::cancel() ends it. The settings are session-wide, so the session must be the caller's own, not a
/// pooler's.
void run_concurrently(pg::Session& session, const std::string& sql);

/// Schema-qualified, quoted name of the index: CREATE INDEX takes no schema, the index is in its table's.
std::string index_in_schema_of(pg::Session& session, const std::string& table_sql,
                               const std::string& index_name);

/// "building index: 1,234 of 5,678 blocks, waiting for 1 transaction" for the build in progress on the table;
/// empty if there is none.
std::string build_progress(pg::Session& session, const std::string& table_sql);

}  // namespace pgsluice::steps
