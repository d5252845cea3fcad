#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "kinds/kind/step_kind.hpp"

namespace pgsluice::engine {

/// The places of the steps that a run begins anew once the job is done: those that are repeated, and those
/// that only look, if any is repeated; else none.
std::vector<std::size_t> begun_anew(const Job& job);

/// The steps of a job in order, each with its kind and its place, for code that visits all of them. Belongs
/// to the session's thread.
class StepsOfJob {
 public:
  /// `record`: the ledger's record of the job; empty if it has none. REQUIRES: session and job outlive it.
  StepsOfJob(pg::Session& session, const Job& job, ledger::JobRecord record);

  std::size_t size() const { return kinds_.size(); }
  const StepKind& kind(std::size_t place) const { return *kinds_.at(place); }
  /// REQUIRES: this outlives the answer.
  StepAt at(std::size_t place);
  /// If the job is done and its next run begins steps anew: as if the ledger did not know these.
  void expect_repetition();
  /// As if the ledger did not know the step.
  void forget(std::size_t place) { record_.steps.at(place) = {}; }

 private:
  pg::Session& session_;
  const Job& job_;
  ledger::JobRecord record_;
  std::vector<std::unique_ptr<StepKind>> kinds_;
  Downs downs_;
  Outlook outlook_;
};

/// The ledger's record of the job of that name; empty without a ledger. Throws Failure, also for a role that
/// may not read it.
ledger::JobRecord read_job_record(pg::Session& session, const std::string& job);

}  // namespace pgsluice::engine
