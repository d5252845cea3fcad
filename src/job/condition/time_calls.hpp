#pragma once

#include <string>
#include <string_view>

#include "job/sql/refusal.hpp"

namespace pgsluice::job {

/// The expression with the time of day taken out of it: now(), CURRENT_DATE and the like become `as_of`, a
/// timestamp with its offset ('2026-01-02 03:04:05.678901+00'), so that it gives one answer however often and
/// late it is computed. Dates and local times are those of the session's time zone. Refuses what hides the
/// time: timeofday(), and the words 'now', 'today', 'tomorrow' and 'yesterday' as values. REQUIRES: an
/// expression that check_expression() has accepted.
Checked<std::string> at_fixed_time(std::string_view expression, std::string_view as_of);

}  // namespace pgsluice::job
