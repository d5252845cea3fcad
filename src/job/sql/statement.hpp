#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "job/sql/refusal.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::job {

/// A lock on a table other than the statement's own.
struct TableLock {
  TableName table;
  std::string lock;

  bool operator==(const TableLock&) const = default;
};

/// What a statement's text alone reveals.
struct StatementFacts {
  std::string kind;                          // "ALTER TABLE", "CREATE INDEX", …
  std::optional<TableName> table;            // the existing table (or view, index, sequence) that it acts on
  std::string lock;                          // on `table`: "ACCESS EXCLUSIVE", …; empty: none, or unknown
  std::vector<TableLock> other_locks;        // a foreign key's other table, a second dropped table, …
  bool transactional = true;                 // false: cannot run inside a transaction block
  bool concurrent = false;                   // contains CONCURRENTLY
  std::vector<std::string> columns_added;    // by ALTER TABLE
  std::vector<std::string> columns_dropped;  // by ALTER TABLE
  std::vector<std::string> constraints_dropped;  // by ALTER TABLE
  bool is_table_dropped = false;                 // `table`, and all of other_locks
  std::string index_name;    // of CREATE INDEX and DROP INDEX; for the schema see `table` and index_schema
  std::string index_schema;  // of DROP INDEX, if written
  bool unique = false;       // CREATE UNIQUE INDEX
};

/// The facts of exactly one statement. Locks are those of PostgreSQL 15. Thread-safe.
Checked<StatementFacts> analyse_statement(std::string_view sql);

}  // namespace pgsluice::job
