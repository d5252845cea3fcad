#pragma once

#include <cstdint>

#include "pg/connection/session.hpp"
#include "pgsluice/job.hpp"
#include "pgsluice/plan.hpp"
#include "telling/findings.hpp"

namespace pgsluice::engine {

/// Where a follow is foreseen. REQUIRES: outlives the call.
struct FollowAt {
  pg::Session& source;
  pg::Session& target;
  const std::string& job;
  std::int64_t step_id = 0;  // 0: the ledger does not know the step
};

/// Throws Error for what keeps the source from being followed; tells what the triggers cost its writers.
void check_follow(const FollowAt& at, const CopyStep& step, Findings& findings);

/// Adds the statements that install, drain, switch and remove, and what they cost.
void plan_follow(const FollowAt& at, const CopyStep& step, PlannedStep& planned);

}  // namespace pgsluice::engine
