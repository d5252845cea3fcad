#include "engine/folder/standing.hpp"

#include <algorithm>

namespace pgsluice::engine {
namespace {

bool is_step(const StepOverview& step) {
  return step.part.empty();
}

bool has_begun(const StepOverview& step) {
  return step.state != StepState::kWaiting && step.state != StepState::kRolledBack;
}

bool are_all_done(const JobOverview& job) {
  return std::all_of(job.steps.begin(), job.steps.end(), [](const StepOverview& step) {
    return !is_step(step) || step.state == StepState::kDone;
  });
}

bool has_live_run(const JobOverview& job) {
  return std::any_of(job.runs.begin(), job.runs.end(), [](const RunOverview& run) { return run.is_live; });
}

JobStanding standing_by_ledger(const JobOverview& job) {
  if (has_live_run(job)) return JobStanding::kInProgress;
  const bool is_begun = std::any_of(job.steps.begin(), job.steps.end(), has_begun);
  switch (job.state) {
    case JobState::kDone:
      return are_all_done(job) ? JobStanding::kApplied : JobStanding::kInterrupted;
    case JobState::kFailed:
      return JobStanding::kFailed;
    case JobState::kCancelled:
      return JobStanding::kCancelled;
    case JobState::kRolledBack:
      return JobStanding::kRolledBack;
    case JobState::kReady:
    case JobState::kRunning:
      break;
    case JobState::kRollingBack:
      return JobStanding::kInterrupted;
  }
  return is_begun ? JobStanding::kInterrupted : JobStanding::kPending;
}

/// Where a job that is neither applied nor rolled back stopped.
std::string place_in_words(const JobOverview& job) {
  if (job.state == JobState::kRollingBack) return "its rollback was interrupted: rollback goes on with it";
  for (const auto& step : job.steps) {
    if (step.state == StepState::kFailed && !step.error.empty())
      return "step \"" + step.name + "\": " + step.error;
  }
  for (const auto& step : job.steps) {
    if (!is_step(step) || step.state == StepState::kDone) continue;
    return "step \"" + step.name + "\" is " + name_of(step.state) +
           (step.kind == "retype" && !step.detail.empty() ? ", " + step.detail : "");
  }
  return {};
}

std::string control_in_words(const JobOverview& job) {
  if (job.control == Control::kRun) return {};
  return std::string(job.control == Control::kPause ? "paused" : "cancelled") +
         (job.control_actor.empty() ? "" : " by " + job.control_actor) +
         (job.control_reason.empty() ? "" : ": " + job.control_reason);
}

std::string rows_in_words(const JobOverview& job) {
  std::int64_t quarantined = 0;
  for (const auto& step : job.steps) quarantined += step.rows.quarantined;
  return quarantined == 0 ? "" : std::to_string(quarantined) + " rows are in quarantine";
}

std::string reason_of(JobStanding standing, const JobOverview& job) {
  switch (standing) {
    case JobStanding::kApplied:
      return rows_in_words(job);
    case JobStanding::kRolledBack:
    case JobStanding::kPending:
      return control_in_words(job);
    default:
      break;
  }
  const auto control = control_in_words(job);
  const auto place = place_in_words(job);
  return control + (control.empty() || place.empty() ? "" : "; ") + place;
}

}  // namespace

FileChange file_change(const DefinitionChange& change, const std::vector<ledger::StepDefinition>& known,
                       const std::vector<ledger::StepDefinition>& given) {
  FileChange out{!change.refused.empty(), change.refused};
  for (const auto& mended : change.mended)
    out.difference.insert(out.difference.end(), mended.difference.begin(), mended.difference.end());
  for (std::size_t i = known.size(); i < given.size(); ++i)
    out.difference.push_back("step \"" + given[i].name + "\" is new");
  return out;
}

FolderEntry judge(const JobOverview* known, const FileChange& change) {
  FolderEntry entry;
  if (known == nullptr) return entry;
  entry.known = *known;
  entry.standing = standing_by_ledger(*known);
  entry.difference = change.difference;
  entry.reason = reason_of(entry.standing, *known);
  if (change.difference.empty() || entry.standing == JobStanding::kInProgress) return entry;
  if (change.is_refused || entry.standing == JobStanding::kApplied) {
    const std::string was = name_of(entry.standing);
    entry.reason = "the file differs from what the ledger has; it was " + was +
                   (entry.reason.empty() ? "" : ": " + entry.reason);
    entry.standing = JobStanding::kChanged;
  }
  return entry;
}

}  // namespace pgsluice::engine
