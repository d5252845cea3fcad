#include "engine/run/stopping/clock_limits.hpp"

namespace pgsluice::engine {

bool is_inside(const Window& window, int minute_of_day) {
  if (window.from_minute <= window.to_minute) {
    return minute_of_day >= window.from_minute && minute_of_day < window.to_minute;
  }
  return minute_of_day >= window.from_minute || minute_of_day < window.to_minute;
}

}  // namespace pgsluice::engine
