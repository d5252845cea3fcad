#pragma once

#include <string>
#include <vector>

#include "kinds/retype/mapping/questions.hpp"

namespace pgsluice::steps::retype {

/// One for each unique index over a changing column where the mapping may turn two values into one: text to
/// citext, say, or an expression. The count says whether rows would collide; it reads the whole table.
std::vector<Question> questions_of_collisions(const Retype& retype);

/// One for each CHECK that new values from the operator's expression may break. Counts the rows that break
/// it.
std::vector<Question> questions_of_checks(const Retype& retype);

/// Unique indexes, in words, that go on comparing old values after the cut-over, although new values that
/// differ may have equal old ones: citext to text, say.
std::vector<std::string> coarser_before(const Retype& retype);

}  // namespace pgsluice::steps::retype
