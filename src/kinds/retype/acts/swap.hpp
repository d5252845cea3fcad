#pragma once

#include <string>
#include <vector>

#include "kinds/retype/dependents/bound_objects.hpp"
#include "kinds/retype/graph/retype.hpp"

namespace pgsluice::steps::retype {

/// The statements of one swap, to be sent at once, and the locks that they need. Views are locked before
/// tables, as every query takes them: who waits for a view holds none of its tables.
struct SwapScript {
  std::vector<std::string> statements;
  std::vector<std::string> view_locks;   // statements; each takes ACCESS EXCLUSIVE on one view alone
  std::vector<std::string> also_locked;  // tables besides those of the graph, quoted: one has a policy, say

  std::string sql() const;
};

/// For LOCK TABLE: the tables of the graph, parents first, then `others`. One fixed order for every swap.
std::string lock_list(const Graph& graph, const std::vector<std::string>& others);

/// What the catalog ties to the changing columns by number, besides indexes, constraints and defaults.
std::vector<BoundObject> bound_objects(pg::Session& session, const Graph& graph);

/// The cut-over, after the tables are locked: new columns take the old ones' names, the old ones keep in step
/// behind. For one transaction. `retype` shows the graph before it.
SwapScript cutover_script(const Retype& retype, const std::vector<BoundObject>& bound);

/// The same backwards: the old columns take their names again, the new ones go. `retype` shows the graph
/// after the cut-over; the acts before the way back must be done.
SwapScript way_back_script(const Retype& retype, const std::vector<BoundObject>& bound);

/// Takes away what the retype added and has not swapped in: a rollback before the cut-over.
SwapScript abandon_script(const Retype& retype);

/// Takes away the old columns and all that kept them in step: the end of a retype.
SwapScript contract_script(const Retype& retype);

}  // namespace pgsluice::steps::retype
