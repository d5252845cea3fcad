#pragma once

#include <cstdint>
#include <string>

#include "pg/connection/session.hpp"
#include "pgsluice/event.hpp"
#include "pgsluice/state.hpp"

namespace pgsluice::ledger {

/// An operator's commands, from any machine; live runs see them within half a second. Each is written to the
/// event log with actor and reason. All throw Error(kNoSuchJob) for a name that the ledger does not know.

/// kRun resumes.
void set_control(pg::Session& session, const std::string& job, Control control, const std::string& actor,
                 const std::string& reason);

/// Overrides the job file with "batch.target=500ms" for this and later runs. REQUIRES: checked by
/// apply_tunable.
void set_tunable(pg::Session& session, const std::string& job, const std::string& key,
                 const std::string& value, const std::string& actor, const std::string& reason);

/// Corrects a step by hand: kDone (applied), or kWaiting (rolled back: it starts over, its positions are
/// forgotten). Throws Error(kRefused) while the job has a live run.
void resolve_step(pg::Session& session, const std::string& job, const std::string& step, StepState state,
                  const std::string& actor, const std::string& reason);

/// The same for every step of the job, with its acts: kDone (applied), or kRolledBack (as if it had never
/// run).
void resolve_job(pg::Session& session, const std::string& job, StepState state, const std::string& actor,
                 const std::string& reason);

/// In the caller's transaction, marks every step and the job as done.
void mark_job_done(pg::Session& session, std::int64_t job_id);

/// In the caller's transaction, notes what an operator said in the job's event log.
void log_command(pg::Session& session, std::int64_t job_id, const event::Command& command);

}  // namespace pgsluice::ledger
