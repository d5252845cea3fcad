#pragma once

#include "pgsluice/bench.hpp"

namespace pgsluice::bench {

/// The backfill step that is benched: the one named, else the job's only one. Throws Error(kUsage) if there
/// is none or the choice is open, or if an option makes no sense. Pure.
const BackfillStep& chosen_step(const Job& job, const BenchOptions& options);

/// The job with that step alone, under a name that no ledger knows: its limits, without its window. Pure.
Job job_of_step(const Job& job, const BenchOptions& options);

}  // namespace pgsluice::bench
