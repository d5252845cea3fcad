#pragma once

#include <string>
#include <vector>

#include "steps/retype/bound_objects.hpp"
#include "steps/retype/retype.hpp"

namespace pgsluice::steps::retype {

/// The statements of one swap, to be sent at once, and what they lock besides the tables of the graph.
struct SwapScript {
  std::vector<std::string> statements;
  std::vector<std::string> also_locked;  // views, and tables with a policy of ours, quoted

  std::string sql() const;
};

/// For LOCK TABLE: `first`, then the tables of the graph, parents first; one fixed order for every swap.
/// Views stand before tables, as every query takes them: who waits for a view holds none of its tables.
std::string lock_list(const Graph& graph, const std::vector<std::string>& first);

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
