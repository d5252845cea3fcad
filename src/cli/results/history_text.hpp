#pragma once

#include <string>
#include <vector>

#include "base/json.hpp"
#include "pgsluice/overview.hpp"

namespace pgsluice::cli {

/// "2026-11-21T13:33:00.123Z 3f2a1b2c throttle state=hold reason=\"…\"": an entry of the event log on one
/// line.
std::string entry_line(const LogEntry& entry);

/// The same in the form of a run's own JSON lines, so that one parser reads both.
base::Json entry_json(const std::string& job, const LogEntry& entry);

/// Quarantined rows, one per line.
std::vector<std::string> failure_lines(const std::vector<QuarantinedRow>& rows);
base::Json failure_json(const std::string& job, const QuarantinedRow& row);

}  // namespace pgsluice::cli
