#pragma once

#include <string>

#include "pg/catalog/catalog.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::steps {

/// The statement of one batch: UPDATE of the rows of `predicate` (a walk's WHERE condition with its $1, $2,
/// …) that match the step's `where`. The `where` stands inside a CASE, or a partial index on it would steal
/// the plan from the key's index, and every batch would read the whole of it.
std::string update_sql(const pg::Table& table, const BackfillStep& step, const std::string& predicate);

/// The rows that update_sql() selects, locked as it locks them and counted: as many as it must change, but
/// for a trigger or rule that leaves one as it is.
std::string selected_sql(const pg::Table& table, const BackfillStep& step, const std::string& predicate);

/// "WHERE …" of every walk's statements.
std::string where_sql(const BackfillStep& step, const std::string& predicate);

/// The part of it that every walk's statement has: "SET … WHERE …".
std::string set_and_where(const BackfillStep& step, const std::string& predicate);

/// Throws Error(kRefused) for a column that is not there, is generated, belongs to the key, or is set twice.
void check_columns(const pg::Table& table, const std::vector<pg::Column>& key, const BackfillStep& step);

/// Lets the server read the statement without running it (EXPLAIN), so that a wrong type, an unknown function
/// or a missing privilege shows before the first row. Throws Error(kRefused or kPrivileges). Returns the
/// plan's text. `statement` must have no parameters: literals stand in.
std::string explain(pg::Session& session, const std::string& statement);

/// What explain() sends; for `plan`.
std::string explain_sql(const std::string& statement);

/// Of `functions` (as written in the step's expressions), those that are volatile: `plan` warns about them.
std::vector<std::string> volatile_functions(pg::Session& session, const std::vector<std::string>& functions);

}  // namespace pgsluice::steps
