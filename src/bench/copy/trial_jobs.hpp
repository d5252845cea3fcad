#pragma once

#include <string>

#include "pg/connection/session.hpp"

namespace pgsluice::bench {

/// A name for a trial's job in the ledger that no operator would choose.
std::string trial_job_name();

/// Removes every trial's job from the ledger, with its ranges, runs and events, including those of an earlier
/// bench. REQUIRES: the copies' lock, so that none of them is alive. Throws Failure.
void forget_trial_jobs(pg::Session& session);

}  // namespace pgsluice::bench
