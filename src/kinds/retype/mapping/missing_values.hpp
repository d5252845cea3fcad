#pragma once

#include <string>

#include "kinds/retype/graph/retype.hpp"

namespace pgsluice::steps::retype {

// Rows whose value could not be mapped have NULL in the other column. Each statement fills what can be filled
// by now, and fails with the keys of rows for which there is no value, ten at the most. It reads the table
// once, and takes locks on no row but those that it fills. Empty: no row of this table can be without one.

/// Before the cut-over: rows without a new value.
std::string look_for_missing_new_values(const Retype& retype, const GraphTable& table);

/// Before the way back: rows without an old value.
std::string look_for_missing_old_values(const Retype& retype, const GraphTable& table);

}  // namespace pgsluice::steps::retype
