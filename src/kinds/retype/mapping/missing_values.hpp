#pragma once

#include <string>

#include "kinds/retype/graph/retype.hpp"

namespace pgsluice::steps::retype {

// Rows whose value could not be mapped have NULL in the other column. Each statement fills those that can be
// filled by now, and fails with the keys of rows that have no value, ten at most. It reads the table once,
// and locks only the rows that it fills. Empty: every row of this table has one.

/// Before the cut-over: rows without a new value.
std::string look_for_missing_new_values(const Retype& retype, const GraphTable& table);

/// Before the way back: rows without an old value.
std::string look_for_missing_old_values(const Retype& retype, const GraphTable& table);

}  // namespace pgsluice::steps::retype
