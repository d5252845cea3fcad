#pragma once

#include <string>
#include <vector>

#include "steps/retype/retype.hpp"

namespace pgsluice::steps::retype {

/// What the graph has and its shadow side lacks: `index "a" of "public"."t", constraint "b" of …`. Empty: the
/// cut-over has a twin for everything. Something is missing when it was made after the acts were written.
std::string missing_twins(pg::Session& session, const Retype& retype);

/// The same for the way back: what came after the cut-over and has nothing to step aside for.
std::string missing_old_twins(pg::Session& session, const Retype& retype);

/// Names that the retype will need for indexes and constraints and that something bears already: `index
/// "public"."a_old"`. For a retype that has not begun. Another that is not contracted leaves such names.
std::vector<std::string> taken_names(pg::Session& session, const Retype& retype);

/// Changes whenever an object that depends on the tables comes or goes: what was written down before the
/// tables were locked is still true if it is the same afterwards.
std::string dependents(pg::Session& session, const Graph& graph);

}  // namespace pgsluice::steps::retype
