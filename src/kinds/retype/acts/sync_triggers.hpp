#pragma once

#include <string>
#include <vector>

#include "kinds/retype/graph/retype.hpp"

namespace pgsluice::steps::retype {

/// Keeps the shadow columns right for every row written: one trigger for INSERT, and one for UPDATE whose
/// WHEN skips the fill's own updates.
std::vector<std::string> sync_forward(const Retype& retype, const GraphTable& table);

/// After the cut-over: keeps the old columns right, so that the way back loses no write. Empty where the
/// table needs no trigger because its old key comes from the sequence.
std::vector<std::string> sync_backward(const Retype& retype, const GraphTable& table);

/// Drops what either of the two left on a table, the functions last.
std::vector<std::string> drop_sync(const Retype& retype, const GraphTable& table);

/// The names of the triggers that sync_backward, or before the cut-over sync_forward, creates on the table.
std::vector<std::string> sync_trigger_names(const Retype& retype, const GraphTable& table, bool is_cut_over);

}  // namespace pgsluice::steps::retype
