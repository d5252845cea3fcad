#pragma once

#include <string>
#include <vector>

#include "compare/case.hpp"

namespace pgsluice::bench {

/// A case as markdown: what was done, a row for each arm, who could not do it.
std::string section(const Case& c, std::int64_t rows, const std::vector<Arm>& arms, const CaseResult& result);

}  // namespace pgsluice::bench
