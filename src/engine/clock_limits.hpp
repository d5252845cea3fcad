#pragma once

#include <ctime>

#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// Whether a minute of the day lies inside the window, which may cross midnight. Pure.
bool is_inside(const Window& window, int minute_of_day);

/// The first full minute after `from` at which local clocks show `minute` (of the day), or that they jumped
/// over between. An instant: what clocks are set to later does not move it.
std::time_t next_local_time(int minute, std::time_t from);

}  // namespace pgsluice::engine
