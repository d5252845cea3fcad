#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "ledger/jobs.hpp"

namespace pgsluice::ledger {

/// A step as recorded in the ledger, with the traces of its work; for a retype these include its acts'
/// traces.
struct KnownStep {
  StepRecord record;
  std::vector<std::string> definition;
  bool has_range_done = false;
  std::int64_t rows_changed = 0;
  bool has_act_begun = false;  // of a retype: an act is done, has changed rows, or is building an index
};

/// The steps of a job, in order.
std::vector<KnownStep> known_steps(pg::Session& session, std::int64_t job_id);

/// A job as the ledger defines it.
struct KnownJob {
  std::int64_t job_id = 0;
  std::vector<StepDefinition> steps;  // in the job's order, without acts
};

/// Every job of the ledger by its name, in one read.
std::map<std::string, KnownJob> known_jobs(pg::Session& session);

/// In the caller's transaction, waits until no orphan backend works on the step or its acts, and keeps it
/// that way: what known_steps() reports from then on is final. Throws Failure 55P03.
void hold_step(pg::Session& session, std::int64_t step_id);

/// In the caller's transaction, forgets a step with its ranges and acts.
void forget_step(pg::Session& session, std::int64_t step_id);

}  // namespace pgsluice::ledger
