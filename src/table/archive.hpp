#pragma once

#include <string>
#include <vector>

#include "pg/catalog/catalog.hpp"
#include "pg/connection/session.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// The table that gets a purge's rows: what must be done to it first, and how a row is put there. A value.
struct Archive {
  std::string table_sql;
  /// Makes the table, or adds the columns that it lacks; empty if nothing is missing.
  std::vector<std::string> preparing;
  std::vector<std::string> columns;  // of both tables, by name
  bool overrides_identity = false;   // a column is GENERATED ALWAYS AS IDENTITY there
  /// SQL: true while the purged table has the columns that it had when this was read. A column that is added
  /// later would go nowhere.
  std::string is_unchanged_sql;
};

/// Reads how rows of the table fit into the archive; writes nothing. Throws Error(kRefused), naming what does
/// not fit: a column of another type, a column of the archive that must be given a value, an unlogged table,
/// a trigger or rule that may keep rows from it, or the table itself. Throws Failure.
Archive read_archive(pg::Session& session, const pg::Table& table, const TableName& name);

}  // namespace pgsluice::engine
