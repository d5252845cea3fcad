#pragma once

#include <exception>
#include <optional>
#include <string>

#include "pgsluice/error.hpp"
#include "pgsluice/progress.hpp"
#include "pgsluice/state.hpp"
#include "telling/stop.hpp"

namespace pgsluice::engine {

/// How a run ends, as summary, ledger and exit code show it.
struct RunOutcome {
  ExitCode code = ExitCode::kWorkLeft;
  std::string outcome;  // "done", "work left", …
  std::string reason;
  std::string hint;
};

/// The error that a run fails with; nullopt if there is none, or if it was told to stop and has stopped.
std::optional<Error> failure_of(const std::exception_ptr& error, const Stop& stop);

/// Decided by its failure, else by what asked it to stop, else by its rows. `unchanged`: which tables hold
/// rows that stayed as they were, in words, as far as this run has seen. Pure.
RunOutcome outcome_of(const std::exception_ptr& error, const Stop& stop, const RowCounts& rows,
                      const std::string& unchanged);

/// Rows that a rollback has not put back, by all its runs.
struct RowsNotRestored {
  std::int64_t kept = 0;    // changed since, or gone: what the application did stands
  std::int64_t faulty = 0;  // the server refused their old value
};

/// How a rollback ends. Rows that were kept are no fault of it. Pure.
RunOutcome rollback_outcome_of(const std::exception_ptr& error, const Stop& stop, const RowsNotRestored& left,
                               const std::string& job);

/// Whether the job has nothing left to do after a run that ended this way.
bool is_job_done(const RunOutcome& end);
/// The state that the ledger shows for the job then.
JobState job_state(const RunOutcome& end);

}  // namespace pgsluice::engine
