#pragma once

#include <string>
#include <vector>

#include "kinds/retype/graph/retype.hpp"

namespace pgsluice::steps::retype {

/// Keeps the shadow columns right for every row written: one trigger for INSERT, one for UPDATE whose WHEN
/// leaves the fill's own updates alone.
std::vector<std::string> sync_forward(const Retype& retype, const GraphTable& table);

/// After the cut-over: keeps the old columns right, so that the way back loses no write. Empty where the
/// table needs no trigger: an old key comes from its sequence.
std::vector<std::string> sync_backward(const Retype& retype, const GraphTable& table);

/// Takes away what either of the two left on a table, its function last.
std::vector<std::string> drop_sync(const Retype& retype, const GraphTable& table);

/// The triggers that one of these makes on the table, by name.
std::vector<std::string> sync_trigger_names(const Retype& retype, const GraphTable& table, bool is_cut_over);

}  // namespace pgsluice::steps::retype
