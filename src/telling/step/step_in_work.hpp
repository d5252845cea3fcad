#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "ledger/jobs.hpp"
#include "pgsluice/progress.hpp"

namespace pgsluice::engine {

/// A step, or an act of a retype, from its start to its end in this run.
struct StepInWork {
  ledger::StepRecord record;
  RowCounts rows;  // of the whole step, including the work of earlier and other runs
  std::chrono::steady_clock::time_point began;
};

/// What a run is working on, in words: for displays and for what ends the run. Confined to the io thread.
struct InWork {
  int number = 0;  // of the step in its job, from 1; 0: none has begun
  std::string name;
  std::string kind;
  std::optional<Behind> behind;  // of a copy that follows its source
  std::string cut;  // what was cancelled on the server because the run had to end; empty: nothing was
};

}  // namespace pgsluice::engine
