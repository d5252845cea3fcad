#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pgsluice::job {

/// Columns that every row for which the condition is true has below a fixed value: those of `column < value`
/// or `value >= column`, alone or joined with others by AND, where the value depends on no column. By their
/// unquoted names, in the order in which they are written. REQUIRES: an expression that check_expression()
/// has accepted.
std::vector<std::string> columns_with_upper_bound(std::string_view condition);

}  // namespace pgsluice::job
