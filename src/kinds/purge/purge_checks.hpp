#pragma once

#include "kinds/kind/step_kind.hpp"
#include "kinds/purge/reach.hpp"

namespace pgsluice::engine {

/// Finds what would stop the purge, lose rows, or surprise somebody.
void check_purge(const StepAt& at, const PurgeStep& step, Findings& findings);

/// What deleting the rows does to one that refers to them, and whether the server would refuse it. Pure.
struct Effect {
  std::string text;  // empty: none
  bool is_refused = false;
};
Effect effect_of(const PurgeStep& step, const Reach& reach);

}  // namespace pgsluice::engine
