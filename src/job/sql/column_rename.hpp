#pragma once

#include <map>
#include <string>
#include <string_view>

namespace pgsluice::job {

/// `sql`, one expression over the columns of one table, with new names for the columns in `names` (old to
/// new, both unquoted); a new name is always quoted. In `t.id` the last part is replaced. Nothing else
/// changes: functions, types, strings, fields of a composite value, a whole row. For expressions as the
/// server prints them (CHECK, index, predicate) and for the operator's own.
///
/// Throws Error(kInternal) for a text that is not one expression, and for one with a subquery, where a name
/// may belong to another table.
std::string rename_columns(std::string_view sql, const std::map<std::string, std::string>& names);

}  // namespace pgsluice::job
