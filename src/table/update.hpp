#pragma once

#include <string>

#include "pg/catalog/catalog.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::steps {

/// The statement of one batch: UPDATE of the rows of `predicate` (a walk's WHERE condition with its $1, $2,
/// …) that match the step's `where`. The `where` is wrapped in a CASE; otherwise the planner would prefer a
/// partial index on it to the key's index, and every batch would read all of it.
std::string update_sql(const pg::Table& table, const BackfillStep& step, const std::string& predicate);

/// The rows that update_sql() selects, locked in the same way and counted: as many as it must change, unless
/// a trigger or rule leaves one unchanged.
std::string selected_sql(const pg::Table& table, const BackfillStep& step, const std::string& predicate);

/// The "WHERE …" of every walk's statements.
std::string where_sql(const BackfillStep& step, const std::string& predicate);

/// "SET …" of every walk's statements.
std::string set_sql(const BackfillStep& step);

/// The part of it that every walk's statements share: "SET … WHERE …".
std::string set_and_where(const BackfillStep& step, const std::string& predicate);

/// Throws Error(kRefused) for a column that does not exist, is generated, belongs to the key, or is set
/// twice.
void check_columns(const pg::Table& table, const std::vector<pg::Column>& key, const BackfillStep& step);

/// Lets the server plan the statement without running it (EXPLAIN), so that a wrong type, an unknown function
/// or a missing privilege shows before the first row. Throws Error(kRefused or kPrivileges). Returns the
/// plan's text. `statement` must have literals instead of parameters.
std::string explain(pg::Session& session, const std::string& statement);

/// What explain() sends; for `plan`.
std::string explain_sql(const std::string& statement);

/// The volatile ones of `functions` (as written in the step's expressions): `plan` warns about them.
std::vector<std::string> volatile_functions(pg::Session& session, const std::vector<std::string>& functions);

}  // namespace pgsluice::steps
