#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pgsluice/job.hpp"

namespace pgsluice::job {

/// What a statement makes, if it is one that fails when that exists: ADD COLUMN and ADD CONSTRAINT, CREATE
/// TABLE, CREATE INDEX, CREATE FUNCTION or PROCEDURE, without IF NOT EXISTS or OR REPLACE.
struct MadeObjects {
  enum class Shape { kParts, kTable, kIndex, kFunction };
  Shape shape = Shape::kParts;           // kParts: columns and constraints of a table that is there
  TableName name;                        // of the table, or of the function
  std::vector<std::string> columns;      // of kParts
  std::vector<std::string> constraints;  // of kParts, those that it names
  bool has_primary_key = false;          // of kParts
  std::vector<TableName> references;     // tables that its foreign keys point at, without the table itself
  std::string on_probe;                  // the statement with all these names in pg_temp; empty for kIndex
};

/// nullopt: the statement makes something else too, or in a way whose result cannot be compared. Thread-safe.
std::optional<MadeObjects> made_objects(std::string_view sql);

/// An ALTER TABLE of that table, with it and what its foreign keys point at in pg_temp; empty for any other
/// statement. Thread-safe.
std::string alter_on_probe(std::string_view sql, const TableName& table);

/// Whether a statement may remove or rename what another one makes: anything but plain additions.
/// Thread-safe.
bool may_remove(std::string_view sql);

}  // namespace pgsluice::job
