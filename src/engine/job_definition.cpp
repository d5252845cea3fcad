#include "engine/job_definition.hpp"

namespace pgsluice::engine {

ledger::JobDefinition definition_of(const Job& job) {
  ledger::JobDefinition definition{job.name, job.description, {}};
  for (const auto& step : job.steps) {
    definition.steps.push_back({step_name(step), step_kind(step), step_definition(step)});
  }
  return definition;
}

}  // namespace pgsluice::engine
