#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pgsluice/progress.hpp"

namespace pgsluice::report {

/// Percent of the step's rows, truncated to one decimal. At most 99.9: only the step's end is 100. Empty
/// while unknown.
std::optional<double> percent_done(const Progress& progress);

/// "54.2 %", or "?".
std::string percent_text(const std::optional<double>& percent);

/// "2,710,000 of ~5,000,000 rows": the total is an estimate.
std::string rows_text(const Progress& progress);

/// "lag 400 ms of 2.0 s", "lock wait unknown".
std::string signal_text(const SignalView& signal);

/// "held: replica r1 is 3 s behind" or "slowed to 40 %: …"; empty at full pace.
std::string hold_text(const Progress& progress);

/// Speed, batch size and time, pace; empty if the step changes no rows. `times` is "×" or "x".
std::vector<std::string> rate_texts(const Progress& progress, const std::string& times);

std::vector<std::string> signal_texts(const Progress& progress);

/// "ETA 4m31s", "ETA ?"; empty if the step changes no rows.
std::string eta_text(const Progress& progress);

/// Elapsed time, ranges left and rows that were not changed.
std::vector<std::string> remaining_texts(const Progress& progress);

/// "5,000,000 rows changed, 12 already right, 0 quarantined"; unchanged rows only if there are any.
std::string row_counts_text(const RowCounts& rows);

/// "1 range", "1,200 ranges".
std::string counted_text(std::int64_t count, const char* one, const char* many);

/// base::format_duration of seconds.
std::string seconds_text(double seconds);

}  // namespace pgsluice::report
