#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pg/connection/session.hpp"
#include "pgsluice/job.hpp"
#include "table/images/images.hpp"
#include "table/referrers.hpp"

namespace pgsluice::engine {

/// The images by which a copy that keeps remembers the rows that it inserts: key, and hash of the row.
/// `changed` names the columns that the hash covers: all that the table had when the copy began, but
/// generated ones. `step_id` 0: not in the ledger yet. Throws Error(kRefused) if a row could not be told or
/// removed by them: no key, a rule, a foreign key of the table to itself; Failure.
Images kept_rows(pg::Session& session, const pg::Table& to, const CopyStep& step, std::int64_t step_id);

/// Foreign keys that refer to the table itself: rows that they refer to stay. Throws Failure.
std::vector<Referrer> direct_referrers(pg::Session& session, const pg::Table& table);

/// Columns that the table has had only since the images were made. Pure.
std::vector<std::string> columns_since(const Images& images);

}  // namespace pgsluice::engine
