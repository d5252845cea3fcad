#pragma once

#include <cstdint>
#include <string>

namespace pgsluice::ledger {

/// Rows that batches of a backfill selected but that a trigger or a rule left unchanged. Few tables have any,
/// so they have no column of their own: the step's detail holds their number.

/// SQL of type bigint for that number, given the column name of the step's detail.
std::string unchanged_sql(const std::string& detail);

/// "UPDATE …; " that a batch sends just before its COMMIT, so that nobody waits for the step's row longer
/// than the COMMIT takes. `is_seen_before`: an earlier walk may have counted these rows, so they are not
/// added.
std::string note_unchanged(std::int64_t step_id, std::int64_t rows, bool is_seen_before);

}  // namespace pgsluice::ledger
