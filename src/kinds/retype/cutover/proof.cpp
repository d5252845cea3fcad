#include "kinds/retype/cutover/proof.hpp"

#include <algorithm>
#include <vector>

#include "ledger/jobs.hpp"
#include "pgsluice/error.hpp"
#include "table/backfill_facts.hpp"

namespace pgsluice::engine {

void require_proof(pg::Session& session, const std::string& job, std::int64_t step_id) {
  const auto record = ledger::find_job(session, job).value_or(ledger::JobRecord{});
  const auto& steps = record.steps;
  const auto retype = std::find_if(steps.begin(), steps.end(),
                                   [&](const ledger::StepRecord& step) { return step.step_id == step_id; });
  std::vector<std::string> waiting;
  for (auto step = retype; step != steps.end(); ++step) {
    if (step->kind == "verify" && step->state != StepState::kDone) waiting.push_back(step->name);
  }
  if (waiting.empty()) return;
  throw Error(
      ExitCode::kRefused,
      "step \"" + retype->name + "\" is not proved yet: verify step " + listed(waiting) +
          (waiting.size() == 1 ? " is not done" : " are not done"),
      "pgsluice run continues the job; contract --yes --unproven drops the old columns without that proof");
}

}  // namespace pgsluice::engine
