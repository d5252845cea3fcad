#pragma once

#include <optional>
#include <string>
#include <vector>

#include "governor/signals/slowdown.hpp"
#include "pg/activity/blockers.hpp"
#include "pg/connection/session.hpp"

namespace pgsluice::engine {

/// Which sessions are working at one moment: what the signal `slowdown` counts, and what else the same query
/// shows.
struct AtWork {
  governor::WorkReading work;
  std::optional<double> open_s;  // age of the oldest foreign transaction that may hold the horizon, seconds
  std::vector<pg::Blocker> blockers;
};

/// `prefix` starts the application_name of our sessions. Throws Failure.
AtWork read_work(pg::Session& session, const std::string& prefix);

}  // namespace pgsluice::engine
