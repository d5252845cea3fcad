#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pg/connection/session.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::pg {

struct Column {
  std::string name;
  std::string type;       // quoted and qualified: `"pg_catalog"."int8"`, usable in a cast
  std::string collation;  // ` COLLATE "pg_catalog"."C"`, or empty for types without one
  bool is_not_null = false;
  bool is_generated = false;
};

/// A unique index that a keyset walk might follow.
struct UniqueKey {
  std::string index_name;
  std::vector<std::string> columns;
  bool is_primary = false;
  std::string unfit_reason;  // empty: suitable for a keyset walk
};

/// What the catalog says about a table, read once when a step starts. Immutable value.
struct Table {
  std::uint32_t oid = 0;
  std::string schema;
  std::string name;
  std::string kind;  // pg_class.relkind: "r", "p", "v", …
  std::vector<Column> columns;
  std::vector<UniqueKey> keys;
  std::int64_t rows_estimate = 0;
  std::int64_t pages = 0;     // heap, 8 kB each, all partitions
  bool has_children = false;  // plain inheritance
  bool is_temporary = false;
  std::vector<std::string> update_triggers;  // enabled, user-defined, fire on an UPDATE
  bool row_security_applies = false;         // to us

  std::string sql() const;  // quoted and qualified
  const Column* find(const std::string& column) const;
};

/// Reads a table. Throws Error(kRefused) if it does not exist, with similar names in the hint.
Table read_table(Session& session, const TableName& name);

/// The columns of the key to walk: `wanted` if given, else the primary key, else the narrowest suitable
/// unique key. Throws Error(kRefused), saying why each candidate is unsuitable, for views, tables without a
/// key, nullable keys.
std::vector<Column> choose_key(const Table& table, const std::vector<std::string>& wanted);

/// The server's deadlock_timeout in milliseconds; 1,000 if it cannot be read.
std::int64_t deadlock_timeout_ms(Session& session);

/// True if this session's server process is not the one named at start-up: there is a pooler in between.
bool is_behind_pooler(Session& session);

}  // namespace pgsluice::pg
