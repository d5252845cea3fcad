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

/// What must hold of the rows: none without its other value, the map right in every row, no reference without
/// its row, and none lost in the NULLs that a foreign key passes over. Each reads a whole table.
std::vector<Question> questions_before_cutover(const Retype& retype);
/// Of these, what no constraint of ours proves at all times: a lookup that a trigger did, or did not.
std::vector<Question> questions_at_cutover(const Retype& retype);
std::vector<Question> questions_after_cutover(const Retype& retype);
std::vector<Question> questions_after_contract(const Retype& retype);

/// Orphans of those foreign keys that the server has not validated: it cannot know that there are none.
std::vector<Question> questions_before_expand(const Retype& retype);

}  // namespace pgsluice::steps::retype
