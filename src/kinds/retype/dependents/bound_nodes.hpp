#pragma once

#include "kinds/retype/dependents/bound_objects.hpp"

namespace pgsluice::steps::retype {

/// An object in the catalog that depends on a column, directly or through views that have to be dropped.
struct BoundNode {
  /// "view", "rule", "policy", "trigger", "statistics", "publication", "function"; others are refused.
  std::string kind;
  std::uint32_t oid = 0;
  std::string name;
  std::string refusal;
  std::string hint;
};

/// In the order of dropping: each object comes before those that it depends on. REQUIRES: as
/// read_bound_objects, under an empty search_path.
std::vector<BoundNode> find_bound_nodes(pg::Session& session, const std::vector<ColumnPlace>& columns);

}  // namespace pgsluice::steps::retype
