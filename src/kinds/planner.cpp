#include "kinds/planner.hpp"

#include "kinds/steps_of_job.hpp"

namespace pgsluice::engine {
namespace {

PlannedStep planned_step(const StepAt& at, const StepKind& kind) {
  const Step& step = at.job.steps[at.place];
  PlannedStep planned;
  planned.name = step.name();
  planned.kind = step.kind();
  planned.state = at.record().state;
  const auto undo = kind.undo_planned(at);
  planned.undo = undo.text;
  planned.can_be_undone = undo.is_possible;
  if (planned.state == StepState::kDone) {
    planned.notes.push_back("done: nothing is sent");
  } else {
    kind.plan(at, planned);
  }
  return planned;
}

}  // namespace

Plan make_plan(pg::Session& session, const Job& job, const std::string& target,
               const pg::ConnectionTarget* sampled_at) {
  Plan plan{job.name, target, {}};
  StepsOfJob steps(session, job, read_job_record(session, job.name));
  steps.expect_repetition();
  for (std::size_t i = 0; i < job.steps.size(); ++i) {
    auto at = steps.at(i);
    at.sampled_at = sampled_at;
    plan.steps.push_back(planned_step(at, steps.kind(i)));
  }
  return plan;
}

}  // namespace pgsluice::engine
