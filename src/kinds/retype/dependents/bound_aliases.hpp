#pragma once

#include <string>
#include <vector>

namespace pgsluice::steps::retype {

/// Whether a definition written by the server holds `table alias(a, b, …)`: a list of column aliases goes by
/// the order of the table's columns, so a rename does not move it to another column. `table` is the name as
/// the server writes it. May say yes for a string constant that looks like one; never says no for a real
/// list.
bool names_columns_by_position(const std::vector<std::string>& definition, const std::string& table);

}  // namespace pgsluice::steps::retype
