#pragma once

#include <vector>

#include "kinds/retype/dependents/bound_nodes.hpp"

namespace pgsluice::steps::retype {

/// Names the nodes, and refuses those that this session could not drop or recreate: known beforehand instead
/// of found out in the cut-over.
void name_and_judge(pg::Session& session, std::vector<BoundNode>& nodes);

}  // namespace pgsluice::steps::retype
