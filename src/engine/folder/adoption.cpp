#include "engine/folder/adoption.hpp"

#include <cstddef>

#include "engine/folder/folder_look.hpp"
#include "engine/folder/place.hpp"
#include "kinds/definition_change/job_definition.hpp"
#include "ledger/control.hpp"
#include "ledger/definitions.hpp"
#include "ledger/jobs.hpp"
#include "ledger/runs.hpp"
#include "pg/connection/transaction.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::engine {
namespace {

constexpr const char* kNoRun = "00000000-0000-0000-0000-000000000000";

bool is_untouched(const FolderEntry& entry) {
  return entry.standing == JobStanding::kPending || entry.standing == JobStanding::kRolledBack;
}

/// Throws for all jobs that have begun; returns the places of those that have not.
std::vector<std::size_t> places_to_adopt(const FolderOverview& folder, std::size_t last) {
  std::vector<std::size_t> places;
  std::string refused;
  for (std::size_t i = 0; i <= last; ++i) {
    const auto& entry = folder.jobs[i];
    if (is_untouched(entry)) {
      places.push_back(i);
    } else if (entry.standing != JobStanding::kApplied) {
      refused += "\n  " + entry.file + ": job \"" + entry.job + "\" is " + name_of(entry.standing) +
                 (entry.reason.empty() ? "" : ": " + entry.reason);
    }
  }
  if (refused.empty()) return places;
  throw Error(ExitCode::kRefused, "jobs that have begun cannot be adopted" + refused,
              "nothing was changed; finish them with run, or say resolve NAME --applied");
}

/// In the transaction that adopts, with the job's row locked: a run may have begun since we looked. What the
/// ledger has of an untouched job gives way to the file.
void require_untouched(pg::Session& session, const std::string& name, std::int64_t job_id) {
  const auto refuse = [&](const std::string& why) {
    throw Error(ExitCode::kRefused, "job \"" + name + "\" cannot be adopted: " + why,
                "nothing was changed; finish it with run, or say resolve " + name + " --applied");
  };
  ledger::end_gone_runs(session, job_id);
  if (ledger::other_live_runs(session, job_id, kNoRun) > 0) refuse("it has a live run");
  for (const auto& known : ledger::known_steps(session, job_id)) {
    ledger::hold_step(session, known.record.step_id);
    const bool has_begun =
        known.record.state != StepState::kWaiting && known.record.state != StepState::kRolledBack;
    if (has_begun || !standing_of(known).empty()) refuse("step \"" + known.record.name + "\" has begun");
    ledger::forget_step(session, known.record.step_id);
  }
}

void adopt(pg::Session& session, const Job& job, const std::string& up_to, const Adopter& adopter) {
  const auto record = ledger::write_job(session, definition_of(job), [&](std::int64_t job_id) {
    require_untouched(session, job.name, job_id);
  });
  ledger::mark_job_done(session, record.job_id);
  ledger::log_command(session, record.job_id, {adopter.actor, "adopt", "--up-to " + up_to, adopter.reason});
}

}  // namespace

std::vector<std::string> adopt_jobs(pg::Session& session, const std::vector<FiledJob>& jobs,
                                    const std::string& up_to, const Adopter& adopter) {
  const auto last = place_in_folder(jobs, up_to);
  const auto places = places_to_adopt(look_at_folder(session, jobs), last);
  return pg::in_transaction(session, {}, [&] {
    std::vector<std::string> adopted;
    for (const auto place : places) {
      adopt(session, jobs[place].job, jobs[last].job.name, adopter);
      adopted.push_back(jobs[place].job.name);
    }
    return adopted;
  });
}

}  // namespace pgsluice::engine
