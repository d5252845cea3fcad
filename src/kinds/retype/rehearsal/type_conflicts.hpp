#pragma once

#include <string>
#include <vector>

#include "kinds/retype/graph/retype.hpp"

namespace pgsluice::steps::retype {

/// Something that the cut-over would have to recreate and that is not valid for the new type.
struct TypeConflict {
  std::string name;  // "view public.newcomers"
  std::string why;   // in the server's words: operator does not exist: uuid > integer
};

/// Views, policies and trigger conditions that the server would refuse over columns of the new type. Needs no
/// such column: each is parsed over rows of the new shape under the tables' names. Skips what cannot be tried
/// this way; the cut-over would then report it, and change nothing. Several statements; REQUIRES: a
/// transaction, whose search_path it changes.
std::vector<TypeConflict> find_type_conflicts(pg::Session& session, const Retype& retype);

}  // namespace pgsluice::steps::retype
