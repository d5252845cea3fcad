#pragma once

#include <chrono>
#include <string>

namespace pgsluice::report {

/// "2026-11-21T10:00:00.125Z", as in JSON lines.
std::string timestamp_milliseconds(std::chrono::system_clock::time_point at);

/// "2026-11-21T10:00:00Z", for lines in a log.
std::string timestamp_seconds(std::chrono::system_clock::time_point at);

/// "12:00:00" in the time zone of this process, for the live view.
std::string time_of_day(std::chrono::system_clock::time_point at);

}  // namespace pgsluice::report
