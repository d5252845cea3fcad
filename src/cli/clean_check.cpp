#include "cli/clean_check.hpp"

#include <algorithm>
#include <string>

#include "cli/job_source.hpp"
#include "cli/results/acceptance.hpp"

namespace pgsluice::cli {
namespace {

bool has_begun(const FolderEntry& entry) {
  if (!entry.known) return false;
  const auto& steps = entry.known->steps;
  return std::any_of(steps.begin(), steps.end(), [](const StepOverview& step) {
    return step.state != StepState::kWaiting && step.state != StepState::kRolledBack;
  });
}

Judged judged(Engine& engine, const Job& job, const Arguments& arguments) {
  if (arguments.verb == Verb::kRollback) return Judged::kOnceBegun;
  const auto folder = engine.folder_status({{"", job}});
  return has_begun(folder.jobs.front()) ? Judged::kOnceBegun : Judged::kBeforeItBegins;
}

void tell(const Job& job, const std::vector<Finding>& findings, EventSink& sink) {
  for (const auto& finding : findings) {
    if (finding.level != Finding::Level::kWarn) continue;
    Event event;
    event.job = job.name;
    event.body = event::Warning{finding.check + ": " + finding.message, finding.hint};
    sink.publish(std::move(event));
  }
}

}  // namespace

void require_clean_check(Engine& engine, const Job& job, const Arguments& arguments, EventSink& sink) {
  if (!is_confirmed_first(job, arguments)) return;
  const Judged when = judged(engine, job, arguments);
  // What a step that has begun would do to values was judged before it began.
  const auto findings = engine.check(job, when == Judged::kBeforeItBegins);
  tell(job, findings, sink);
  const auto stopping = stopping_warnings(findings, arguments.accepted, when);
  if (stopping.empty()) return;
  std::string names;
  for (const auto& name : stopping) names += (names.empty() ? "" : ",") + name;
  throw Error(ExitCode::kRefused,
              "job \"" + job.name + "\" is not started in environment \"" + arguments.environment +
                  "\": check warns of " + names,
              "mend what it warns of, or accept it: --accept " + names);
}

}  // namespace pgsluice::cli
