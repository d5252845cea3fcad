#pragma once

#include <cstddef>
#include <optional>

#include "kinds/kind/undoing.hpp"
#include "pg/connection/session.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// The step before `place` whose `down` drops the table: undoing it takes what was copied into it along.
std::optional<std::size_t> step_that_drops(pg::Session& session, const TableName& table, std::size_t place,
                                           const Downs& downs);

}  // namespace pgsluice::engine
