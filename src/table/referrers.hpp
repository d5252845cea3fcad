#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pg/connection/session.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// What a foreign key does when a row that it refers to is deleted.
enum class OnDelete { kNoAction, kRestrict, kCascade, kSetNull, kSetDefault };

/// A foreign key through which deleting rows reaches another table. A value.
struct Referrer {
  std::string constraint;
  TableName table;  // that refers
  std::string table_sql;
  std::vector<std::string> columns;
  std::string referenced_sql;  // the purged table, or one that refers to it
  std::vector<std::string> referenced_columns;
  OnDelete on_delete = OnDelete::kNoAction;
  bool has_index = false;  // that finds the referring rows
  bool is_empty = false;   // no page

  bool changes_rows() const { return on_delete != OnDelete::kNoAction && on_delete != OnDelete::kRestrict; }
  /// "deletes the rows of", "sets NULL in": only if it changes rows.
  const char* effect() const;
};

/// Every foreign key that refers to the table, then those that refer to the tables it reaches: through
/// CASCADE, or because their rows go first (`with`). Throws Failure.
std::vector<Referrer> read_referrers(pg::Session& session, std::uint32_t table_oid,
                                     const std::vector<TableName>& with);

/// What speaks against deleting; empty message: nothing.
struct ReferrerProblem {
  std::string message;
  std::string hint;
};
/// A referring table that is searched without an index for each deleted row; one whose rows go or change
/// without getting into the archive; one named in `with` that does not refer. Pure.
std::vector<ReferrerProblem> referrer_problems(const PurgeStep& step, const std::vector<Referrer>& referrers);

/// DELETEs of the rows that refer to the rows `root` selects (a query's "FROM … WHERE …"), those that nothing
/// refers to first. Of the tables in `with` alone. Pure.
std::vector<std::string> referrer_deletes(const std::vector<Referrer>& referrers,
                                          const std::vector<TableName>& with, const std::string& table_sql,
                                          const std::string& root);

/// Whether both mean the same table; a name without a schema matches any.
bool is_named(const TableName& table, const std::vector<TableName>& names);

}  // namespace pgsluice::engine
