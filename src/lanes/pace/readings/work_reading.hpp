#pragma once

#include <optional>
#include <string>
#include <vector>

#include "governor/signals/slowdown.hpp"
#include "pg/activity/blockers.hpp"
#include "pg/session.hpp"

namespace pgsluice::engine {

/// Who does what at one moment: what the signal `slowdown` counts, and what else the same look tells.
struct AtWork {
  governor::WorkReading work;
  std::optional<double> open_s;  // the oldest transaction of others that may hold the horizon, seconds
  std::vector<pg::Blocker> blockers;
};

/// `prefix` stands before the application_name of our sessions. Throws Failure.
AtWork read_work(pg::Session& session, const std::string& prefix);

}  // namespace pgsluice::engine
