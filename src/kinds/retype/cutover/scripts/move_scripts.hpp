#pragma once

#include <string>
#include <vector>

#include "kinds/retype/dependents/bound_objects.hpp"
#include "kinds/retype/graph/retype.hpp"

namespace pgsluice::steps::retype {

/// The statements of one move (cut-over, way back, abandon or contract), to be sent at once, and the locks
/// that they need. Views are locked before tables, as in every query: a session that waits for a view holds
/// none of its tables.
struct MoveScript {
  std::vector<std::string> statements;
  std::vector<std::string> view_locks;   // statements; each takes ACCESS EXCLUSIVE on one view only
  std::vector<std::string> also_locked;  // tables outside the graph, quoted: one that has a policy, say

  std::string sql() const;
};

/// For LOCK TABLE: the tables of the graph, parents first, then `others`. Every move takes the same order.
std::string lock_list(const Graph& graph, const std::vector<std::string>& others);

/// What the catalog ties to the changing columns by number, apart from indexes, constraints and defaults.
std::vector<BoundObject> bound_objects(pg::Session& session, const Graph& graph);

/// The cut-over, for one transaction, once the tables are locked: the new columns take the old ones' names,
/// and the old columns are kept in step from then on. `retype` shows the graph before it.
MoveScript cutover_script(const Retype& retype, const std::vector<BoundObject>& bound);

/// The way back: the old columns take their names again and the new ones are dropped. `retype` shows the
/// graph after the cut-over; acts_before_way_back must be done.
MoveScript way_back_script(const Retype& retype, const std::vector<BoundObject>& bound);

/// A rollback before the cut-over: drops what the retype has added.
MoveScript abandon_script(const Retype& retype);

/// The end of a retype: drops the old columns and all that kept them in step.
MoveScript contract_script(const Retype& retype);

}  // namespace pgsluice::steps::retype
