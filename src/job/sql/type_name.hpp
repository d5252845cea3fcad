#pragma once

#include <string>
#include <string_view>

#include "job/sql/refusal.hpp"

namespace pgsluice::job {

/// A whole text that is one type in SQL syntax (`numeric(12,2)`, `text[]`, `app."Mood"`), trimmed, usable
/// after a column's name; the built-in uuid is always "uuid". Refuses serial types, which are not types but
/// an integer with a sequence and a default.
Checked<std::string> parse_type_name(std::string_view text);

}  // namespace pgsluice::job
