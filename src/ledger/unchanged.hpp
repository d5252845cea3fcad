#pragma once

#include <cstdint>
#include <string>

namespace pgsluice::ledger {

/// Rows that batches of a backfill selected and that stayed as they were, since a trigger or a rule left them
/// so. Few tables have any, so that they have no column of their own: the step's detail holds their number.

/// The number, of a step whose detail is `detail` (a column's name). SQL of type bigint.
std::string unchanged_sql(const std::string& detail);

/// "UPDATE …; " that a batch sends in front of its COMMIT, so that nobody waits for the step's row longer
/// than that takes. `is_seen_before`: these rows may have been counted by an earlier walk, and are not added.
std::string note_unchanged(std::int64_t step_id, std::int64_t rows, bool is_seen_before);

}  // namespace pgsluice::ledger
