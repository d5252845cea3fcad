#pragma once

#include <string>

#include "steps/retype/retype.hpp"

namespace pgsluice::steps::retype {

/// What the graph has and its shadow side lacks: `index "a" of "public"."t", constraint "b" of …`. Empty: the
/// cut-over has a twin for everything. Something is missing when it was made after the acts were written.
std::string missing_twins(pg::Session& session, const Retype& retype);

/// Changes whenever an object that depends on the tables comes or goes: what was written down before the
/// tables were locked is still true if it is the same afterwards.
std::string dependents(pg::Session& session, const Graph& graph);

}  // namespace pgsluice::steps::retype
