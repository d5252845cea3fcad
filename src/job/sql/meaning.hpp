#pragma once

#include <string>
#include <vector>

namespace pgsluice::job {

/// What the lines of a step_definition mean: equal for two definitions that do the same. Blanks, comments,
/// parentheses and the case of names matter only where they do in PostgreSQL's own grammar, literals always;
/// assignments of `set` have no order. For comparison, not for display. Thread-safe.
std::vector<std::string> meaning_of(const std::vector<std::string>& definition);

}  // namespace pgsluice::job
