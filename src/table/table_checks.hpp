#pragma once

#include "pg/catalog/catalog.hpp"
#include "pg/catalog/storage.hpp"
#include "pgsluice/job.hpp"
#include "telling/findings.hpp"

namespace pgsluice::engine {

/// What may be wrong with any table that a step touches: strong locks, INVALID indexes, statistics,
/// wraparound.
void check_table(pg::Session& session, const pg::Table& table, const pg::Storage& storage,
                 Findings& findings);

/// For a table that could not be looked at: says who holds it if `f` is a lock timeout, else throws it again.
void warn_of_locked(pg::Session& session, const pg::Failure& f, const TableName& name, Findings& findings);

}  // namespace pgsluice::engine
