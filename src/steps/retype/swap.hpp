#pragma once

#include <string>
#include <vector>

#include "steps/retype/bound_objects.hpp"
#include "steps/retype/retype.hpp"

namespace pgsluice::steps::retype {

/// The tables of the graph for LOCK TABLE, parents first: one fixed order for every cut-over.
std::string lock_list(const Graph& graph);

/// What the catalog ties to the changing columns by number, besides indexes, constraints and defaults.
std::vector<BoundObject> bound_objects(pg::Session& session, const Graph& graph);

/// The cut-over, after the tables are locked: new columns take the old ones' names, the old ones keep in step
/// behind. For one transaction. `retype` shows the graph before it.
std::vector<std::string> cutover_statements(const Retype& retype, const std::vector<BoundObject>& bound);

/// The same backwards: the old columns take their names again, the new ones go. `retype` shows the graph
/// after the cut-over; the acts before the way back must be done.
std::vector<std::string> way_back_statements(const Retype& retype, const std::vector<BoundObject>& bound);

/// Takes away what the retype added and has not swapped in: a rollback before the cut-over.
std::vector<std::string> abandon_statements(const Retype& retype);

/// Takes away the old columns and all that kept them in step: the end of a retype.
std::vector<std::string> contract_statements(const Retype& retype);

}  // namespace pgsluice::steps::retype
