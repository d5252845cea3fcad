#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgsluice::base {

/// "100ms", "2s", "15min", "1h", "1d" → milliseconds. Needs a unit, no sign, no space; nullopt otherwise or
/// on overflow.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// "512B", "64kB", "64MB", "1GB", "1TB" (powers of 1,024, as in PostgreSQL's settings) → bytes; nullopt
/// otherwise.
std::optional<std::int64_t> parse_bytes(std::string_view text);

/// "06:00" → minutes since midnight; nullopt otherwise.
std::optional<int> parse_time_of_day(std::string_view text);

/// For people: "85 ms", "1.2 s", "4m31s", "2h05m".
std::string format_duration(std::chrono::milliseconds duration);

/// For people: "512 B", "64.0 MB".
std::string format_bytes(double bytes);

/// For people: "1,234,567".
std::string format_count(std::int64_t count);

/// For people: "3 entries behind, as of 0.4 s ago"; how far a copy is behind its source. `age_s` below 0: not
/// known.
std::string format_behind(std::int64_t entries, double age_s);

/// The shortest text that parse_duration and parse_bytes can read back: "100ms", "2s", "64MB".
std::string duration_text(std::chrono::milliseconds duration);
std::string bytes_text(std::int64_t bytes);

}  // namespace pgsluice::base
