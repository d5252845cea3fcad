#pragma once

#include <string>
#include <string_view>

#include "job/sql/refusal.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::job {

/// Removes one SQL identifier from the front of `text` and returns it folded and unquoted: `Users` gives
/// users, `"Odd""q"` gives Odd"q. Spaces before and after it are removed too. After a refusal `text` is
/// unspecified.
Checked<std::string> take_identifier(std::string_view& text);

/// A whole text that is one column name, written as in SQL.
Checked<std::string> parse_column_name(std::string_view text);

/// A whole text that is a table name with or without a schema, written as in SQL.
Checked<TableName> parse_table_name(std::string_view text);

/// A name as a person would write it: quoted only if folding would change it. For screens and digests;
/// quoting for SQL is done only in the pg layer.
std::string written(std::string_view identifier);
std::string written(const TableName& table);

}  // namespace pgsluice::job
