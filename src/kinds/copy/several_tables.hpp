#pragma once

#include <boost/asio/awaitable.hpp>
#include <string>
#include <vector>

#include "kinds/kind/step_kind.hpp"

namespace pgsluice::engine {

/// A copy step of several tables: each is an act, one after the other, referenced tables before those that
/// refer to them.

boost::asio::awaitable<void> run_tables(RunningStep& step, CopyStep copy);

void check_tables(const StepAt& at, const CopyStep& step, Findings& findings);
void plan_tables(const StepAt& at, const CopyStep& step, PlannedStep& planned);

/// The ledger's number of the act that copies the table; 0: it has none yet.
std::int64_t act_of_table(pg::Session& session, std::int64_t step_id, const TableName& table);

}  // namespace pgsluice::engine
