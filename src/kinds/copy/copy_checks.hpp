#pragma once

#include <string>

#include "kinds/kind/step_kind.hpp"
#include "pgsluice/job.hpp"
#include "telling/findings.hpp"

namespace pgsluice::engine {

/// Finds what would stop a copy, reading both databases: columns, key, types on a few rows, privileges; tells
/// what the target does with each row.
void check_copy_step(const StepAt& at, const CopyStep& step, Findings& findings);

/// The earlier step that makes or drops a table of the copy, in words; empty: none, so it can be looked at.
std::string made_before(const StepAt& at, const CopyStep& step);

}  // namespace pgsluice::engine
