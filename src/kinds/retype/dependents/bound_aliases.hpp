#pragma once

#include <string>
#include <vector>

namespace pgsluice::steps::retype {

/// Whether a definition that the server wrote holds `table alias(a, b, …)`: a list of column aliases counts
/// the table's columns, so that a rename does not move it to another one. `table` is the name as the server
/// writes it. May say yes for a string constant that looks like it; never no for a list.
bool names_columns_by_position(const std::vector<std::string>& definition, const std::string& table);

}  // namespace pgsluice::steps::retype
