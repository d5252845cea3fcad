#include "engine/command/rollback_survey.hpp"

#include <algorithm>

#include "kinds/steps_of_job.hpp"
#include "ledger/undo.hpp"

namespace pgsluice::engine {

RollbackSurvey survey_rollback(pg::Session& session, const Job& job, std::int64_t job_id) {
  const Traces traces(ledger::read_traces(session, job_id));
  StepsOfJob steps(session, job, read_job_record(session, job.name));
  RollbackSurvey survey;
  for (std::size_t i = std::min(traces.size(), steps.size()); i-- > 0;) {
    if (!traces.is_begun(i)) continue;
    RollbackAct act{i, traces.at(i).step_id};
    act.job_id = job_id;
    steps.kind(i).survey(steps.at(i), traces, act, survey);
    survey.acts.push_back(std::move(act));
  }
  return survey;
}

}  // namespace pgsluice::engine
