#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ledger/jobs.hpp"

namespace pgsluice::ledger {

/// A resumable piece of a step that takes several transactions. In the ledger it is a child of that step, so
/// it has a state, ranges and counts like any other.
struct ActDefinition {
  std::string name;  // unique in the job
  std::string kind;
  std::string part;
};

/// Writes the acts that the ledger does not know yet below the step, and numbers all of them. Returns their
/// records in the order given. Commits by itself.
std::vector<StepRecord> open_acts(pg::Session& session, std::int64_t step_id,
                                  const std::vector<ActDefinition>& acts);

/// An act as the ledger knows it.
struct ActRecord {
  StepRecord record;
  bool has_range_done =
      false;  // its work is committed, whatever its state says: a killed run has not written that

  bool is_done() const { return has_range_done || record.state == StepState::kDone; }
};

/// The acts of a step, in order.
std::vector<ActRecord> read_acts(pg::Session& session, std::int64_t step_id);

/// A retype as `cutover` and `contract` find it, by the job's name.
struct RetypeRecord {
  std::int64_t job_id = 0;
  std::int64_t step_id = 0;
  StepState state = StepState::kWaiting;
  std::string detail;
  std::vector<std::string> definition;
};

/// The retype steps of a job, in order. Empty: the job has none, or is not known.
std::vector<RetypeRecord> find_retypes(pg::Session& session, const std::string& job);

/// Moves a retype from one state to the next, inside the transaction that does the work. False: it is no
/// longer in state `from`.
bool move_retype(pg::Session& session, std::int64_t step_id, const std::string& from, const std::string& to,
                 StepState state);

/// In the caller's transaction, forgets the acts that are done and whose name contains this quoted name: they
/// will be done again.
void forget_acts_naming(pg::Session& session, std::int64_t step_id, const std::string& sql);

/// In the caller's transaction, forgets one act: it will be done again.
void forget_act(pg::Session& session, std::int64_t act_id);

/// In the caller's transaction, forgets every act of the step, because they are undone.
void forget_acts(pg::Session& session, std::int64_t step_id);

}  // namespace pgsluice::ledger
