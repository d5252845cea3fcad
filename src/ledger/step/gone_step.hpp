#pragma once

#include "pg/rows.hpp"

namespace pgsluice::ledger {

/// A job that begins anew gives its steps other numbers, so that nothing a run of the time before still does
/// reaches them. Ends such a run. Throws Error(kRangesHeld).
[[noreturn]] void end_overtaken();

/// The answer about a step that this run works on: throws Error(kRangesHeld) if there is no such step any
/// more.
const pg::Rows& of_present_step(const pg::Rows& answer);

}  // namespace pgsluice::ledger
