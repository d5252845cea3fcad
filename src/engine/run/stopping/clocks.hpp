#pragma once

#include <chrono>
#include <ctime>
#include <optional>

#include "lanes/throttle/blockers.hpp"
#include "lanes/throttle/gate.hpp"
#include "pgsluice/engine.hpp"
#include "pgsluice/job.hpp"
#include "telling/stop.hpp"

namespace pgsluice::engine {

/// The limits that only time reaches: --for, --until, [window], throttle.give_up. Needs no connection: the
/// server's clock, which the window follows, is extrapolated from its last reading. Confined to the io
/// thread.
class Clocks {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  Clocks(const RunOptions& options, std::optional<Window> window, TimePoint began);

  /// The server's clock in the window's time zone.
  void set_server_clock(double seconds_of_day, TimePoint at) { server_clock_ = {seconds_of_day, at}; }

  /// Requests a stop for the first limit that is reached.
  void look(const ThrottleLimits& throttle, const Gate& gate, Blockers& blockers, Stop& stop, TimePoint now,
            std::time_t wall) const;

 private:
  struct Reading {
    double seconds_of_day;
    TimePoint at;
  };
  int server_minute(TimePoint now) const;

  TimePoint began_;
  std::optional<Window> window_;
  std::optional<std::chrono::seconds> duration_;
  std::optional<std::time_t> until_;
  std::optional<Reading> server_clock_;
};

}  // namespace pgsluice::engine
