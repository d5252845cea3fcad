#pragma once

#include <cstddef>
#include <vector>

#include "kinds/kind/undoing.hpp"
#include "pg/connection/session.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// Earlier steps whose `down` statements together drop the table, or every column that the backfill at
/// `place` sets: undoing them removes its values. Empty if there are none.
std::vector<std::size_t> steps_that_take_away(pg::Session& session, const BackfillStep& backfill,
                                              std::size_t place, const Downs& downs);

}  // namespace pgsluice::engine
