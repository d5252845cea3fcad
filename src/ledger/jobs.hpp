#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "pg/connection/session.hpp"
#include "pgsluice/state.hpp"

namespace pgsluice::ledger {

/// The part of a job that must not change between runs.
struct StepDefinition {
  std::string name;
  std::string kind;
  std::vector<std::string> lines;  // fit for a diff
};
struct JobDefinition {
  std::string name;
  std::string description;
  std::vector<StepDefinition> steps;
};

struct StepRecord {
  std::int64_t step_id = 0;
  std::string name;
  std::string kind;
  std::optional<StepState> state;  // nothing: the ledger does not know the step
  std::string detail;  // what undoing the step needs to know: "created" for an index that it built
  bool ranges_cut = false;
};

struct JobRecord {
  std::int64_t job_id = 0;
  JobState state = JobState::kReady;
  std::vector<StepRecord> steps;  // in the job's order
};

/// Finds the job by name, or writes it; adds the steps that the ledger does not know. `agree` is called in
/// the same transaction, with the job's row locked and before steps are written: it checks what the ledger
/// knows, and may make it forget steps. Commits by itself.
JobRecord open_job(pg::Session& session, const JobDefinition& job,
                   const std::function<void(std::int64_t job_id)>& agree = {});

/// The same in the caller's transaction.
JobRecord write_job(pg::Session& session, const JobDefinition& job,
                    const std::function<void(std::int64_t job_id)>& agree = {});

/// In the caller's transaction: no other run registers, and nobody changes the job's state, until it ends.
JobState lock_job(pg::Session& session, std::int64_t job_id);

/// nullopt: no job of that name.
std::optional<JobRecord> find_job(pg::Session& session, const std::string& name);

/// Does nothing while the job is being rolled back.
void set_job_state(pg::Session& session, std::int64_t job_id, JobState state);
/// A rollback that has undone nothing gives the job its state back.
void give_up_rollback(pg::Session& session, std::int64_t job_id, JobState state);
/// Sets kRolledBack if the job is being rolled back and nothing is left to undo. False: it is not over, or
/// another rollback has done this.
bool settle_rollback(pg::Session& session, std::int64_t job_id);
/// Sets kDone if every step is done; else does nothing. For an act outside of a run that may have been the
/// last one.
void settle_job_state(pg::Session& session, std::int64_t job_id);
/// False: the ledger has no such step any more.
bool set_step_state(pg::Session& session, std::int64_t step_id, StepState state,
                    const std::string& error = {});
/// Whether the work of a step without keys is committed, whatever its state says: a killed run has not
/// written that.
bool has_range_done(pg::Session& session, std::int64_t step_id);
void set_step_detail(pg::Session& session, std::int64_t step_id, const std::string& detail);

}  // namespace pgsluice::ledger
