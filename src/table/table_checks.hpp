#pragma once

#include "pg/catalog/catalog.hpp"
#include "pg/catalog/storage.hpp"
#include "pgsluice/job.hpp"
#include "telling/findings.hpp"

namespace pgsluice::engine {

/// Checks for problems that any table of a step may have: strong locks, INVALID indexes, statistics,
/// wraparound.
void check_table(pg::Session& session, const pg::Table& table, const pg::Storage& storage,
                 Findings& findings);

/// For a table that could not be read: warns who holds its lock if `f` is a lock timeout, else rethrows it.
void warn_of_locked(pg::Session& session, const pg::Failure& f, const TableName& name, Findings& findings);

}  // namespace pgsluice::engine
