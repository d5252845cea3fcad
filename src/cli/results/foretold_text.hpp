#pragma once

#include <string>
#include <vector>

#include "base/json.hpp"
#include "pgsluice/foretold.hpp"

namespace pgsluice::cli {

/// What is foretold of a step, for `plan`: one line a quantity, with its range.
std::vector<std::string> foretold_lines(const Foretold& foretold);

/// What was foretold and what came true, for `status`, below the step's name.
std::vector<std::string> came_true_lines(const std::string& step, const Foretold& foretold,
                                         const CameTrue& came_true);

/// The same as JSON: low, likely and high of each quantity; with `came_true` also the value and the error in
/// percent, null where they are not known.
base::Json foretold_json(const Foretold& foretold);
base::Json foretold_json(const Foretold& foretold, const CameTrue& came_true);

/// By how many percent of what came true the likely value is off; above 0: too much was foretold. Empty: not
/// known, or nothing came true to compare with.
std::optional<double> error_percent(const Span& foretold, const std::optional<double>& came_true);

}  // namespace pgsluice::cli
