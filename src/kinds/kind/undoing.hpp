#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "ledger/undo.hpp"

namespace pgsluice::engine {

/// How rollback undoes a step, in words and statements, or why it cannot.
struct Undo {
  bool is_possible = false;
  std::string text;
};

/// The statements in the job file that undo each step, by the step's place.
using Downs = std::vector<std::vector<std::string>>;

/// What must be done for one step.
struct RollbackAct {
  std::size_t place = 0;
  std::int64_t step_id = 0;
  std::vector<std::string> down{};  // in one transaction with the ledger's note
  std::string index_sql{};          // to be dropped; empty: none
  std::string table_sql{};          // that index's table
  std::int64_t job_id = 0;
  bool has_images = false;           // whose old values are put back
  std::vector<std::string> words{};  // what undoing it does, where `down` does not say it
  bool is_forced = false;            // also where others changed them since
};

/// What a rollback would do now.
struct RollbackSurvey {
  std::vector<RollbackAct> acts;       // in the order of undoing: last step first
  std::vector<std::string> obstacles;  // why rollback is impossible; empty if it is possible
  std::vector<std::string> remarks;    // what stays although a step required it
};

/// What each step of a job has done, according to the ledger.
class Traces {
 public:
  explicit Traces(std::vector<ledger::StepTrace> traces) : traces_(std::move(traces)) {}

  std::size_t size() const { return traces_.size(); }
  const ledger::StepTrace& at(std::size_t place) const { return traces_.at(place); }
  bool is_begun(std::size_t place) const {
    return at(place).state != StepState::kWaiting && at(place).state != StepState::kRolledBack;
  }
  /// A step without keys is applied once its range is done, whatever its state says: the state is set later.
  bool is_applied(std::size_t place) const {
    const auto& trace = at(place);
    return trace.state == StepState::kDone || (trace.state != StepState::kRolledBack && trace.has_range_done);
  }

 private:
  std::vector<ledger::StepTrace> traces_;
};

}  // namespace pgsluice::engine
