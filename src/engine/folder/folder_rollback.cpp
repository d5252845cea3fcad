#include "engine/folder/folder_rollback.hpp"

#include <algorithm>

#include "engine/command/rollback_survey.hpp"
#include "engine/folder/folder_look.hpp"
#include "engine/folder/place.hpp"
#include "kinds/definition_change/job_definition.hpp"
#include "ledger/jobs.hpp"
#include "pg/catalog/catalog.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::engine {
namespace {

using Lines = std::vector<std::string>;

bool has_left_something(const FolderEntry& entry) {
  if (!entry.known || entry.standing == JobStanding::kRolledBack) return false;
  return std::any_of(entry.known->steps.begin(), entry.known->steps.end(), [](const StepOverview& step) {
    return step.state != StepState::kWaiting && step.state != StepState::kRolledBack;
  });
}

bool needs_direct_connection(pg::Session& session, const Job& job, const RollbackSurvey& survey) {
  const bool drops_index = std::any_of(survey.acts.begin(), survey.acts.end(),
                                       [](const RollbackAct& act) { return !act.index_sql.empty(); });
  return drops_index && job.direct_dsn.empty() && pg::is_behind_pooler(session);
}

/// Why the job cannot be rolled back now; empty: it can.
Lines obstacles_of(pg::Session& session, const FolderEntry& entry, const Job& job) {
  if (entry.standing == JobStanding::kInProgress) return {"it has a live run"};
  const auto record = ledger::find_job(session, job.name);
  if (!record) return {};
  const auto change = read_definition_change(session, job, record->job_id);
  if (!change.refused.empty()) {
    Lines lines = {"the file defines it differently than the ledger"};
    lines.insert(lines.end(), change.refused.begin(), change.refused.end());
    return lines;
  }
  const auto survey = survey_rollback(session, job, record->job_id);
  if (survey.obstacles.empty() && needs_direct_connection(session, job, survey))
    return {
        "an index must be dropped concurrently, but the connection goes through a pooler: give direct_dsn"};
  return survey.obstacles;
}

}  // namespace

std::vector<FiledJob> jobs_to_roll_back(pg::Session& session, const std::vector<FiledJob>& jobs,
                                        const std::string& to) {
  const auto stays = place_in_folder(jobs, to);
  const auto folder = look_at_folder(session, jobs);
  std::vector<FiledJob> list;
  std::string refused;
  for (std::size_t i = jobs.size(); i-- > stays + 1;) {
    if (!has_left_something(folder.jobs[i])) continue;
    for (const auto& obstacle : obstacles_of(session, folder.jobs[i], jobs[i].job))
      refused += "\n  " + jobs[i].file + ": " + obstacle;
    list.push_back(jobs[i]);
  }
  if (refused.empty()) return list;
  throw Error(ExitCode::kRefused,
              "the folder cannot be rolled back to job \"" + jobs[stays].job.name + "\"" + refused,
              "nothing was changed; remove what is named here, then say it again");
}

}  // namespace pgsluice::engine
