#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ledger/jobs.hpp"

namespace pgsluice::ledger {

/// A resumable piece of a retype. In the ledger it is a step below its step, so that it has a state, ranges
/// and counts like any other.
struct ActDefinition {
  std::string name;  // unique in the job
  std::string kind;
  std::string part;
};

/// Writes those acts that the ledger does not know yet below the step, and gives all of them their number.
/// Returns their records in the order given. Commits by itself.
std::vector<StepRecord> open_acts(pg::Session& session, std::int64_t step_id,
                                  const std::vector<ActDefinition>& acts);

/// A retype as `cutover` and `contract` find it by the job's name.
struct RetypeRecord {
  std::int64_t job_id = 0;
  std::int64_t step_id = 0;
  std::string state;
  std::string detail;
  std::vector<std::string> definition;
};

/// The retype steps of a job, in order. Empty: the job has none, or is not known.
std::vector<RetypeRecord> find_retypes(pg::Session& session, const std::string& job);

/// Moves a retype from one word to the next, inside the transaction that does what the word says. False: it
/// does not stand at `from` any more.
bool move_retype(pg::Session& session, std::int64_t step_id, const std::string& from, const std::string& to,
                 const std::string& state);

/// Forgets the acts that are done and whose name holds this quoted name, in the caller's transaction: they
/// are done again.
void forget_acts_naming(pg::Session& session, std::int64_t step_id, const std::string& sql);

/// Forgets every act of the step, in the caller's transaction: they are undone.
void forget_acts(pg::Session& session, std::int64_t step_id);

}  // namespace pgsluice::ledger
