#pragma once

#include <string>

#include "pg/session.hpp"

namespace pgsluice::bench {

/// A name for a trial's job in the ledger, which no operator would choose.
std::string trial_job_name();

/// Takes every trial's job out of the ledger, with its ranges, runs and events; those of an earlier bench
/// too. REQUIRES: the copies' lock, so that none of them is alive. Throws Failure.
void forget_trial_jobs(pg::Session& session);

}  // namespace pgsluice::bench
