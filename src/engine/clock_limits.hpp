#pragma once

#include <chrono>

#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// Whether a minute of the day lies inside the window, which may cross midnight. Pure.
bool is_inside(const Window& window, int minute_of_day);

/// Whether local time has passed `until_minute` (minute of the day) since the run began: the first such
/// moment after the start, so that a run started at 22:00 with --until 06:00 ends in the morning.
bool is_past_until(int until_minute, std::chrono::steady_clock::time_point began,
                   std::chrono::steady_clock::time_point now);

/// Minutes from `from_minute` to the next `until_minute`, 1 to 1440. Pure.
int minutes_until(int from_minute, int until_minute);

}  // namespace pgsluice::engine
