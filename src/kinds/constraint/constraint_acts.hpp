#pragma once

#include <string>
#include <vector>

#include "kinds/acts/act.hpp"
#include "kinds/constraint/constraint_facts.hpp"

namespace pgsluice::engine {

/// What is left to do, in order, by what the catalog shows; empty: the constraint is there and proved. Each
/// act is one that a killed run leaves either done or not begun, so the catalog alone tells where to go on.
/// Pure. The locks were tried on servers 12 to 18: NOT VALID and VALIDATE for what PostgreSQL can prove
/// later, concurrent indexes for keys.
std::vector<Act> constraint_acts(const ConstraintStep& step, const ConstraintFacts& facts);

/// Whether rows may still break it.
bool is_proved(const ConstraintStep& step, const ConstraintFacts& facts);

}  // namespace pgsluice::engine
