#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pg/connection/session.hpp"
#include "pgsluice/overview.hpp"

namespace pgsluice::ledger {

/// Every job, or the one named `only`; empty if there is none.
std::vector<JobOverview> read_overview(pg::Session& session, const std::string& only);

/// Sums of one step's ranges.
RowCounts step_counts(pg::Session& session, std::int64_t step_id);

std::vector<QuarantinedRow> read_quarantine(pg::Session& session, const std::string& job);

}  // namespace pgsluice::ledger
