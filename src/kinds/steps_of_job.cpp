#include "kinds/steps_of_job.hpp"

#include <algorithm>

#include "kinds/table_of_kinds.hpp"
#include "ledger/schema.hpp"

namespace pgsluice::engine {

StepsOfJob::StepsOfJob(pg::Session& session, const Job& job, ledger::JobRecord record)
    : session_(session), job_(job), record_(std::move(record)) {
  record_.steps.resize(job.steps.size());
  for (std::size_t i = 0; i < job.steps.size(); ++i) {
    kinds_.push_back(kind_of(job.steps[i]));
    downs_.push_back(kinds_.back()->down(record_.steps[i].detail));
  }
}

void StepsOfJob::expect_repetition() {
  const auto& steps = record_.steps;
  const bool is_done = std::all_of(steps.begin(), steps.end(),
                                   [](const auto& step) { return step.state == StepState::kDone; });
  if (!is_done || !is_repeated(job_)) return;
  for (std::size_t i = 0; i < kinds_.size(); ++i) {
    if (kinds_[i]->is_repeated() || !kinds_[i]->writes()) forget(i);
  }
}

StepAt StepsOfJob::at(std::size_t place) {
  return {session_, job_, place, record_.steps, downs_, outlook_, nullptr};
}

ledger::JobRecord read_job_record(pg::Session& session, const std::string& job) {
  if (!ledger::is_installed(session)) return {};
  return ledger::find_job(session, job).value_or(ledger::JobRecord{});
}

}  // namespace pgsluice::engine
