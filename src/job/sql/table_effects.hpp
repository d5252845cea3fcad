#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "job/sql/refusal.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::job {

/// A table that a statement creates, by CREATE TABLE or by renaming another.
struct MadeTable {
  TableName table;
  std::vector<std::string> columns;
  bool has_more_columns = false;  // AS, LIKE, INHERITS, RENAME: the text does not list them all
};

/// What a statement leaves behind and what work it has to do, as far as its text reveals.
struct TableEffects {
  std::optional<MadeTable> made;
  std::vector<std::string> columns_renamed;  // new names, on the statement's table
  std::vector<TableName> tables_dropped;     // by DROP TABLE, and by RENAME: the old name
  /// In words, what takes long on a large table while the statement holds its lock.
  std::vector<std::string> long_work;
  /// Functions in defaults of added columns: if one is volatile, the table is rewritten.
  std::vector<std::string> default_functions;
  bool is_opaque = false;  // DO, CALL, SELECT f(), …: it may do anything
};

/// The effects of exactly one statement. Thread-safe.
Checked<TableEffects> table_effects(std::string_view sql);

}  // namespace pgsluice::job
