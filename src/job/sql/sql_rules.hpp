#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "job/sql/refusal.hpp"

namespace pgsluice::job {

/// The statements of an sql step, one by one, without their semicolons. Refuses transaction control and what
/// cannot run inside a transaction block: all commit together, with the ledger's record that they are done.
Checked<std::vector<std::string>> check_sql(std::string_view text);

/// The only CREATE [UNIQUE] INDEX CONCURRENTLY of an index step, which must name its index.
Checked<std::string> check_index(std::string_view text);

/// The only SELECT of a verify step: one column, no parameters, no writes.
Checked<std::string> check_query(std::string_view text);

}  // namespace pgsluice::job
