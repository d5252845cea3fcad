#pragma once

#include <string>
#include <vector>

#include "kinds/retype/graph/graph.hpp"

namespace pgsluice::steps::retype {

/// Copies some rows of each real table into its likeness, children first, then the parents that they refer
/// to: these by look-ups in the keys, never by reading a large table. Both graphs are the same except for
/// their schemas. Returns what could not be copied, in words. REQUIRES: a transaction; the likeness has no
/// keys yet.
std::vector<std::string> sample_rows(pg::Session& session, const Graph& real, const Graph& likeness);

}  // namespace pgsluice::steps::retype
