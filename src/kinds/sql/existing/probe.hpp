#pragma once

#include <optional>
#include <string>
#include <vector>

#include "job/made/made_objects.hpp"
#include "kinds/sql/existing/comparison.hpp"
#include "pg/connection/session.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// A table that is there.
struct FoundTable {
  std::string oid;
  std::string name;  // unquoted, without its schema
  std::string sql;   // qualified, quoted by the server
};

/// nullopt: there is none of that name. Throws Failure.
std::optional<FoundTable> find_table(pg::Session& session, const TableName& name);

/// Whether any of the columns or constraints that the statement names is there: only then is a probe worth
/// it.
bool has_any_part(pg::Session& session, const FoundTable& table, const job::MadeObjects& made);

/// Whether a function of that name is in the schema.
bool has_function(pg::Session& session, const TableName& function);

/// Where a table or function without a schema is created.
std::string current_schema(pg::Session& session);

/// "pg_temp.\"t\"", the probe of a table of that name.
std::string probe_of(const std::string& name);

/// Columns of the probe beside those of the table; `only`: these, empty: all of them. Throws Failure.
std::vector<ObjectPair> read_columns(pg::Session& session, const FoundTable& table,
                                     const std::vector<std::string>& only);

/// Constraints of the probe beside those of the table. `parents`: the tables whose probes its foreign keys
/// point at. Throws Failure.
std::vector<ObjectPair> read_constraints(pg::Session& session, const FoundTable& table,
                                         std::vector<FoundTable> parents);

/// The kind of the table, and how it is partitioned.
ObjectPair read_table_kind(pg::Session& session, const FoundTable& table);

/// The function of that name in pg_temp beside the one in the schema that takes the same arguments.
ObjectPair read_function(pg::Session& session, const TableName& function);

}  // namespace pgsluice::engine
