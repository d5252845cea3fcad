#pragma once

#include <string>
#include <vector>

#include "kinds/retype/graph/retype.hpp"

namespace pgsluice::steps::retype {

/// A count that must be 0.
struct Question {
  std::string what;  // "rows of "public"."users" without a new "id""
  std::string query;
};

/// What must hold for the rows: none lacks its other value, the map is right in every row, no reference lacks
/// its row, and none is lost in the NULLs that a foreign key ignores. Each reads a whole table.
std::vector<Question> questions_before_cutover(const Retype& retype);
/// Those of them that no constraint of ours proves at all times: look-ups that a trigger has made, or missed.
std::vector<Question> questions_at_cutover(const Retype& retype);
std::vector<Question> questions_after_cutover(const Retype& retype);
std::vector<Question> questions_after_contract(const Retype& retype);

/// Orphans of the foreign keys that the server has not validated: it cannot know that there are none.
std::vector<Question> questions_before_expand(const Retype& retype);

}  // namespace pgsluice::steps::retype
