#pragma once

#include "engine/findings.hpp"
#include "pg/catalog.hpp"
#include "pg/storage.hpp"

namespace pgsluice::engine {

/// What may be wrong with any table that a step touches: strong locks, INVALID indexes, statistics,
/// wraparound.
void check_table(pg::Session& session, const pg::Table& table, const pg::Storage& storage,
                 Findings& findings);

}  // namespace pgsluice::engine
