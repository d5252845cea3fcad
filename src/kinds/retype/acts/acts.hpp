#pragma once

#include <string>
#include <vector>

#include "kinds/acts/act.hpp"
#include "kinds/retype/graph/retype.hpp"

namespace pgsluice::steps::retype {

using engine::Act;

/// Everything up to "ready for cut-over", in order. The same graph gives the same acts; a graph that has
/// gained an index or a foreign key gives those and more.
std::vector<Act> acts_before_cutover(const Retype& retype);

/// Before the way back: the old columns' foreign keys, and the proof that no old value is missing.
std::vector<Act> acts_before_way_back(const Retype& retype);

// The pieces of acts_before_cutover.

/// Shadow columns and sync triggers, one transaction a table.
std::vector<Act> expand_acts(const Retype& retype);
std::vector<Act> fill_acts(const Retype& retype);
/// Where a value may have no partner: names the rows without one before hours go into building indexes.
std::vector<Act> missing_value_acts(const Retype& retype);
/// A twin for every index that holds a changing column, and an index that keeps the old primary key usable.
std::vector<Act> index_acts(const Retype& retype);
/// NOT NULL, the map, and twins of CHECKs: proved by the server itself.
std::vector<Act> check_acts(const Retype& retype);
std::vector<Act> foreign_key_acts(const Retype& retype);

}  // namespace pgsluice::steps::retype
