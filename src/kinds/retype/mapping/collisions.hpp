#pragma once

#include <string>
#include <vector>

#include "kinds/retype/mapping/questions.hpp"

namespace pgsluice::steps::retype {

/// One for each unique index over a changing column of which the mapping may make one value of two: citext of
/// text, say, or an expression. The count says whether some rows would collide; it reads the whole table.
std::vector<Question> questions_of_collisions(const Retype& retype);

/// One for each CHECK that an expression of the operator's may lead out of. The count is of rows that break
/// it.
std::vector<Question> questions_of_checks(const Retype& retype);

/// Unique indexes, in words, that go on to compare old values after the cut-over, when new ones that differ
/// may have equal old ones: text of citext, say.
std::vector<std::string> coarser_before(const Retype& retype);

}  // namespace pgsluice::steps::retype
