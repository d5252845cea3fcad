#include "engine/run/stopping/clocks.hpp"

#include <cmath>

#include "base/units.hpp"
#include "engine/run/stopping/clock_limits.hpp"

namespace pgsluice::engine {

namespace {
constexpr double kSecondsPerDay = 24 * 3600;
}

Clocks::Clocks(const RunOptions& options, std::optional<Window> window, TimePoint began)
    : began_(began), window_(std::move(window)), duration_(options.duration), until_(options.until) {}

int Clocks::server_minute(TimePoint now) const {
  const auto since = std::chrono::duration<double>(now - server_clock_->at).count();
  return static_cast<int>(std::fmod(server_clock_->seconds_of_day + since, kSecondsPerDay)) / 60;
}

void Clocks::look(const ThrottleLimits& throttle, const Gate& gate, Blockers& blockers, Stop& stop,
                  TimePoint now, std::time_t wall) const {
  if (duration_ && now - began_ >= *duration_) stop.request(StopCause::kDuration, "--for is over");
  if (until_ && wall >= *until_) stop.request(StopCause::kUntil, "--until is reached");
  if (window_ && server_clock_ && !is_inside(*window_, server_minute(now)))
    stop.request(StopCause::kWindow, "outside the window");
  const auto held_since = gate.held_since();
  if (held_since && now - *held_since >= throttle.give_up) {
    const auto reason = "held for " + base::format_duration(throttle.give_up) + ": " + gate.reason(now);
    stop.request(gate.is_paused() ? StopCause::kPaused : StopCause::kHeldTooLong, reason);
  }
  // While the gate holds for another reason no batch starts anyway: a lock counts from the next attempt on.
  if (!gate.is_open(now)) blockers.clear();
  if (blockers.since() && now - *blockers.since() >= throttle.give_up) {
    stop.request(StopCause::kHeldTooLong,
                 "held for " + base::format_duration(throttle.give_up) + ": " + blockers.reason());
  }
}

}  // namespace pgsluice::engine
