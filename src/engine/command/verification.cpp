#include "engine/command/verification.hpp"

#include <algorithm>

#include "kinds/steps_of_job.hpp"

namespace pgsluice::engine {
namespace {

/// By name: steps may have been added to the file since the job was written to the ledger.
ledger::JobRecord record_of(pg::Session& session, const Job& job) {
  const auto known = read_job_record(session, job.name);
  ledger::JobRecord record{known.job_id, known.state, {}};
  for (const auto& step : job.steps) {
    const auto found = std::find_if(known.steps.begin(), known.steps.end(),
                                    [&](const auto& stored) { return stored.name == step.name(); });
    record.steps.push_back(found != known.steps.end() ? *found : ledger::StepRecord{});
  }
  return record;
}

}  // namespace

std::vector<VerifyResult> verify_job(pg::Session& session, const Job& job, const VerifyOptions& options) {
  StepsOfJob steps(session, job, record_of(session, job));
  std::vector<VerifyResult> results;
  for (std::size_t i = 0; options.repair && i < steps.size(); ++i)
    steps.kind(i).require_mendable(steps.at(i));
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (options.repair) {
      steps.kind(i).mend(steps.at(i), results);
    } else {
      steps.kind(i).prove(steps.at(i), results);
    }
  }
  return results;
}

}  // namespace pgsluice::engine
