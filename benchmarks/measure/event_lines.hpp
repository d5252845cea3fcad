#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/json.hpp"

namespace pgsluice::bench {

/// The events of one type in what `--json` wrote. The last line of a killed program may be half written.
std::vector<base::Json> events_of(const std::string& output, const std::string& type);

/// "2026-01-31T10:00:00.123Z".
std::chrono::system_clock::time_point read_time(const std::string& text);

}  // namespace pgsluice::bench
