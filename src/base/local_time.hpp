#pragma once

#include <ctime>

namespace pgsluice::base {

/// The first full minute after `from` at which local clocks show `minute` (of the day), or have just jumped
/// over it. An instant: clocks that are set later do not move it.
std::time_t next_local_time(int minute, std::time_t from);

}  // namespace pgsluice::base
