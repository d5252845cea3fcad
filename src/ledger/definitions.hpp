#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "ledger/jobs.hpp"

namespace pgsluice::ledger {

/// A step as the ledger knows it, with the traces of its work; those of a retype's acts count as its own.
struct KnownStep {
  StepRecord record;
  std::vector<std::string> definition;
  bool has_range_done = false;
  std::int64_t rows_changed = 0;
  bool has_act_begun = false;  // of a retype: an act that is done, changed rows, or builds an index
};

/// The steps of a job, in its order.
std::vector<KnownStep> known_steps(pg::Session& session, std::int64_t job_id);

/// Waits, in the caller's transaction, until no orphan works on the step or its acts, and keeps it so: what
/// known_steps() says of it from then on is final. Throws Failure 55P03.
void hold_step(pg::Session& session, std::int64_t step_id);

/// Forgets a step with its ranges and acts, in the caller's transaction.
void forget_step(pg::Session& session, std::int64_t step_id);

}  // namespace pgsluice::ledger
