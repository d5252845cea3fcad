#pragma once

#include "pgsluice/bench.hpp"

namespace pgsluice::bench {

/// The backfill step to bench: the named one, else the job's only one. Throws Error(kUsage) if there is none
/// or several, or if an option makes no sense. Pure.
const BackfillStep& chosen_step(const Job& job, const BenchOptions& options);

/// The job with only that step, under a name that is in no ledger: with its limits, without its window. Pure.
Job job_of_step(const Job& job, const BenchOptions& options);

}  // namespace pgsluice::bench
