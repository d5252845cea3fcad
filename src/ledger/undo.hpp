#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pg/connection/session.hpp"
#include "pgsluice/state.hpp"

namespace pgsluice::ledger {

/// What a step has done so far, according to its ranges: the state alone may be out of date if a run died
/// right after a commit.
struct StepTrace {
  std::int64_t step_id = 0;
  StepState state = StepState::kWaiting;
  std::string detail;
  bool has_range_done = false;
  std::int64_t rows_changed = 0;
};

/// One trace for each step, in the job's order.
std::vector<StepTrace> read_traces(pg::Session& session, std::int64_t job_id);

/// Takes every range that is not done away from its owner, so that no batch or statement of an earlier run
/// can still commit; waits for those in flight. Commits by itself. Throws Failure 55P03 if one takes longer
/// than 10 s.
void fence_job(pg::Session& session, std::int64_t job_id);

/// In the caller's transaction, records that a step is undone: state 'rolled back', no ranges, nothing
/// quarantined, as if it had never run. False: another rollback has already recorded it.
bool mark_rolled_back(pg::Session& session, std::int64_t step_id);
/// The same for a step whose old values were put back: what is quarantined are rows that could not be.
bool mark_restored(pg::Session& session, std::int64_t step_id);

/// Before a step that was rolled back begins anew: forgets the rows that were not put back, and frees the
/// images of its former life. Commits by itself.
void forget_rollback(pg::Session& session, std::int64_t step_id);

/// Whether rows of the step are in quarantine.
bool has_quarantined(pg::Session& session, std::int64_t step_id);

/// Rows of a job that a rollback has not put back.
struct NotRestored {
  std::int64_t kept = 0;    // changed since, or gone
  std::int64_t faulty = 0;  // the server refused their old value
};
NotRestored count_not_restored(pg::Session& session, std::int64_t job_id);

}  // namespace pgsluice::ledger
