#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pg/connection/session.hpp"

namespace pgsluice::ledger {

/// The time that a step's `where` refers to, as '2026-01-02 03:04:05.678901+00': the present time when first
/// asked, the same from then on, until the step begins anew or is rolled back. Throws Failure;
/// Error(kRangesHeld) if the job has begun anew since this run read its steps.
std::string fix_as_of(pg::Session& session, std::int64_t step_id);
/// The same without fixing it: the present time if none is fixed. `step_id` 0: the ledger has no such step.
std::string read_as_of(pg::Session& session, std::int64_t step_id);

/// The columns along which an act walks: these when first asked, the same from then on, because its ranges
/// are written in their values. Throws like fix_as_of().
std::vector<std::string> fix_key(pg::Session& session, std::int64_t act_id,
                                 const std::vector<std::string>& columns);

/// Makes these steps of the job wait again as if they had never run, if every step of the job is done; their
/// events stay. They get other numbers, so that no run of the time before can touch them, and such a run that
/// is not heard of any more is ended. False: it is not. In the caller's transaction; the job's row stays
/// locked until its end.
bool begin_anew(pg::Session& session, const std::string& job, const std::vector<std::string>& steps);

}  // namespace pgsluice::ledger
