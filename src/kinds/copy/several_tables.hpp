#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>
#include <vector>

#include "kinds/kind/step_kind.hpp"

namespace pgsluice::engine {

/// A copy step of several tables: each is an act, one after the other, referenced tables before those that
/// refer to them.

/// The copy of one of its tables.
CopyStep copy_of_table(const CopyStep& step, const TableName& table);

/// The step's tables in the order in which they are copied: by the foreign keys of the target. Throws
/// Error(kRefused) for tables that refer to each other in a circle, naming them; Failure.
std::vector<TableName> in_order(pg::Session& session, const CopyStep& step);

boost::asio::awaitable<void> run_tables(RunningStep& step, CopyStep copy);

void check_tables(const StepAt& at, const CopyStep& step, Findings& findings);
void plan_tables(const StepAt& at, const CopyStep& step, PlannedStep& planned);

/// The ledger's number of the act that copies the table; 0: it has none yet.
std::int64_t act_of_table(pg::Session& session, std::int64_t step_id, const TableName& table);

}  // namespace pgsluice::engine
