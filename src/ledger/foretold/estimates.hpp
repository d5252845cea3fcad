#pragma once

#include <cstdint>
#include <string>

#include "pg/connection/session.hpp"
#include "pgsluice/foretold.hpp"

namespace pgsluice::ledger {

/// Keeps what was foretold, with the sizes of the table and the end of the WAL at this moment: the step
/// begins now.
void note_estimate(pg::Session& session, std::int64_t step_id, const std::string& run_id,
                   std::uint32_t table_oid, const Foretold& foretold);

/// Fills in what came true: the step is done. Time and WAL only if `run_id` has run it from its start.
/// Nothing for a step without an estimate.
void note_came_true(pg::Session& session, std::int64_t step_id, const std::string& run_id);

/// SQL: the columns that read_estimate() takes, of table `alias`; 26 of them.
std::string estimate_columns(const std::string& alias);
/// False if the row has none. `column`: the first of estimate_columns().
bool read_estimate(const pg::Rows& rows, std::size_t row, std::size_t column, Foretold& foretold,
                   CameTrue& came_true);

}  // namespace pgsluice::ledger
