#pragma once

#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// Whether a minute of the day lies inside the window, which may cross midnight. Pure.
bool is_inside(const Window& window, int minute_of_day);

}  // namespace pgsluice::engine
