#pragma once

#include <string>

#include "lanes/batch/backfill_step.hpp"

namespace pgsluice::engine {

/// A smaller table is done in seconds and cached whole: not worth the dead rows that samples leave.
constexpr std::int64_t kPagesWorthSampling = 1'000;

/// Why no batch of the step may be run and rolled back here, in words; empty: nothing speaks against it.
/// Reads the catalog only. Throws Failure.
std::string why_not_sampled(pg::Session& session, const PreparedBackfill& step);

}  // namespace pgsluice::engine
