#pragma once

#include <string>
#include <vector>

#include "kinds/retype/graph/retype.hpp"

namespace pgsluice::steps::retype {

/// Something that the cut-over would have to recreate and that means nothing for the new type.
struct TypeConflict {
  std::string name;  // "view public.newcomers"
  std::string why;   // in the server's words: operator does not exist: uuid > integer
};

/// Views, policies and conditions of triggers that the server would not take over columns of the new type,
/// found without one: each is parsed over rows of the new shape that bear the tables' names. What cannot be
/// tried this way is passed over; the cut-over would say it then, and change nothing. Several statements;
/// REQUIRES: a transaction, whose search_path it changes.
std::vector<TypeConflict> find_type_conflicts(pg::Session& session, const Retype& retype);

}  // namespace pgsluice::steps::retype
