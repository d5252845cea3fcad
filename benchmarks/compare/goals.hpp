#pragma once

#include <map>
#include <string>

#include "compare/case.hpp"

namespace pgsluice::bench {

/// Results by name of their case.
using Results = std::map<std::string, CaseResult>;

/// What pgsluice must reach, met or missed: by the interleaved walk, and by the walk it chooses itself.
/// Verdicts are on the medians; what was not run says so.
std::string goals_section(const Results& results);

}  // namespace pgsluice::bench
