#pragma once

#include <chrono>

#include "ledger/jobs.hpp"
#include "pgsluice/progress.hpp"

namespace pgsluice::engine {

/// A step, or an act of a retype, from its start to its end in this run.
struct StepInWork {
  ledger::StepRecord record;
  RowCounts rows;  // of the whole step, including the work of earlier and other runs
  std::chrono::steady_clock::time_point began;
};

}  // namespace pgsluice::engine
