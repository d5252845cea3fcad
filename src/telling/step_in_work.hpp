#pragma once

#include <chrono>

#include "ledger/jobs.hpp"
#include "pgsluice/progress.hpp"

namespace pgsluice::engine {

/// A step, or an act of a retype, from its begin to its end in this run.
struct StepInWork {
  ledger::StepRecord record;
  RowCounts rows;  // of the whole step: earlier and other runs' work included
  std::chrono::steady_clock::time_point began;
};

}  // namespace pgsluice::engine
