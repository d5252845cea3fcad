#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pg/connection/session.hpp"
#include "pgsluice/overview.hpp"

namespace pgsluice::ledger {

/// Appends the entries in one statement.
void append_events(pg::Session& session, std::int64_t job_id, const std::vector<LogEntry>& entries);

/// The newest `limit` entries, oldest first.
std::vector<LogEntry> read_events(pg::Session& session, std::int64_t job_id, int limit);

}  // namespace pgsluice::ledger
