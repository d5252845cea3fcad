#include "kinds/steps_of_job.hpp"

#include <algorithm>

#include "kinds/table_of_kinds.hpp"
#include "ledger/schema.hpp"

namespace pgsluice::engine {

std::vector<std::size_t> begun_anew(const Job& job) {
  std::vector<std::size_t> places;
  bool is_any_repeated = false;
  for (std::size_t i = 0; i < job.steps.size(); ++i) {
    const auto kind = kind_of(job.steps[i]);
    is_any_repeated = is_any_repeated || kind->is_repeated();
    if (kind->is_repeated() || !kind->writes()) places.push_back(i);
  }
  if (!is_any_repeated) places.clear();
  return places;
}

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
  if (!is_done) return;
  for (const auto place : begun_anew(job_)) forget(place);
}

StepAt StepsOfJob::at(std::size_t place) {
  return {session_, job_, place, record_.steps, downs_, outlook_, nullptr};
}

ledger::JobRecord read_job_record(pg::Session& session, const std::string& job) {
  if (!ledger::is_installed(session)) return {};
  return ledger::find_job(session, job).value_or(ledger::JobRecord{});
}

}  // namespace pgsluice::engine
