#pragma once

#include <string>

#include "job/sql/parse_tree.hpp"

namespace pgsluice::job {

/// The statement's usual name: "ALTER TABLE", "DROP INDEX", "CREATE FUNCTION", "BEGIN".
std::string statement_kind(const ParsedStatement& statement);

/// False if PostgreSQL refuses to run the statement inside a transaction block.
bool runs_in_transaction(const ParsedStatement& statement);

/// True if the statement says CONCURRENTLY.
bool is_concurrent(const ParsedStatement& statement);

}  // namespace pgsluice::job
