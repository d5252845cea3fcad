#pragma once

#include <vector>

#include "pg/connection/session.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::engine {

/// A copy step of several tables consists of copies of one table each.

/// The copy of one of its tables.
CopyStep copy_of_table(const CopyStep& step, const TableName& table);

/// In the order of the job file; a step of one table is its own only copy.
std::vector<CopyStep> copies_of(const CopyStep& step);

/// Places among copies_of(), referenced tables before those that refer to them, by the foreign keys of the
/// target. Throws Error(kRefused) for tables that refer to each other in a circle, naming them; Failure.
std::vector<std::size_t> order_of_tables(pg::Session& session, const CopyStep& step);

}  // namespace pgsluice::engine
