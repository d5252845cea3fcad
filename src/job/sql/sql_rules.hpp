#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "job/sql/refusal.hpp"

namespace pgsluice::job {

/// The statements of an sql step, one each, without their semicolons. Refuses transaction control and what
/// cannot run inside a transaction block: they commit together, with the note that they were done.
Checked<std::vector<std::string>> check_sql(std::string_view text);

/// The one CREATE [UNIQUE] INDEX CONCURRENTLY of an index step, with a name of its own.
Checked<std::string> check_index(std::string_view text);

/// The one SELECT of a verify step: one column, no parameter, nothing written.
Checked<std::string> check_query(std::string_view text);

}  // namespace pgsluice::job
