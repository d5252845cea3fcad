#include "engine/run/run_outcome.hpp"

#include "base/units.hpp"
#include "lanes/fill_work.hpp"
#include "telling/failure/interruption.hpp"
#include "telling/failure/outcome.hpp"

namespace pgsluice::engine {
namespace {

constexpr const char* kRowsUnchanged = "done, rows unchanged";

ExitCode exit_code(const Stop& stop, const RowCounts& rows) {
  switch (stop.cause()) {
    case StopCause::kNone:
      if (rows.unchanged > 0) return ExitCode::kMismatch;
      return rows.quarantined > 0 ? ExitCode::kQuarantined : ExitCode::kDone;
    case StopCause::kPaused:
      return ExitCode::kPaused;
    case StopCause::kCancelled:
      return ExitCode::kCancelled;
    case StopCause::kFailed:
      return ExitCode::kFailed;
    case StopCause::kReadyForCutover:
      return ExitCode::kReadyForCutOver;
    default:
      return ExitCode::kWorkLeft;
  }
}

const char* outcome_text(ExitCode code) {
  switch (code) {
    case ExitCode::kDone:
      return "done";
    case ExitCode::kQuarantined:
      return "done, rows quarantined";
    case ExitCode::kMismatch:
      return "verify mismatch";
    case ExitCode::kPaused:
      return "paused";
    case ExitCode::kCancelled:
      return "cancelled";
    case ExitCode::kRangesHeld:
      return "held by other runs";
    case ExitCode::kReadyForCutOver:
      return "ready for cut-over";
    case ExitCode::kWorkLeft:
      return "work left";
    case ExitCode::kRefused:
    case ExitCode::kPrivileges:
      return "refused";
    default:
      return "failed";
  }
}

std::string unchanged_reason(const RowCounts& rows, const std::string& unchanged) {
  if (!unchanged.empty()) return unchanged;
  return base::format_count(rows.unchanged) +
         " rows were selected by an earlier run and are unchanged: its history names the table, trigger and "
         "rule";
}

}  // namespace

std::optional<Error> failure_of(const std::exception_ptr& error, const Stop& stop) {
  if (!error) return std::nullopt;
  try {
    std::rethrow_exception(error);
  } catch (const CutShort& e) {
    if (stop.is_requested()) return std::nullopt;
    return e;
  } catch (const Error& e) {
    // A run told to stop while it waited for the server has stopped, for the reason that was given.
    const bool was_told = stop.is_requested() && stop.cause() != StopCause::kFailed;
    if (e.code() == ExitCode::kWorkLeft && was_told) return std::nullopt;
    return e;
  } catch (const pg::Failure& f) {
    return error_of(f, Asker::kRun);
  } catch (const std::exception& e) {
    return Error(ExitCode::kInternal, e.what());
  }
}

RunOutcome outcome_of(const std::exception_ptr& error, const Stop& stop, const RowCounts& rows,
                      const std::string& unchanged) {
  if (const auto failed = failure_of(error, stop))
    return {failed->code(), outcome_text(failed->code()), failed->what(), failed->hint()};
  const auto code = exit_code(stop, rows);
  if (code == ExitCode::kMismatch && !error)
    return {code, kRowsUnchanged, unchanged_reason(rows, unchanged), kLookAtUnchanged};
  return {code, outcome_text(code), stop.reason(), {}};
}

RunOutcome rollback_outcome_of(const std::exception_ptr& error, const Stop& stop, const RowsNotRestored& left,
                               const std::string& job) {
  if (failure_of(error, stop) || stop.is_requested()) return outcome_of(error, stop, {}, {});
  RunOutcome end{left.faulty > 0 ? ExitCode::kQuarantined : ExitCode::kDone, "rolled back", {}, {}};
  if (left.kept > 0)
    end.reason = base::format_count(left.kept) + " rows were changed since or are gone, and stay as they are";
  if (left.faulty > 0)
    end.reason += (end.reason.empty() ? "" : "; ") + base::format_count(left.faulty) +
                  " rows could not be given their old value";
  if (!end.reason.empty()) end.hint = "pgsluice failures " + job + " lists them";
  return end;
}

bool is_job_done(const RunOutcome& end) {
  return end.code == ExitCode::kDone || end.code == ExitCode::kQuarantined || end.outcome == kRowsUnchanged;
}

JobState job_state(const RunOutcome& end) {
  if (is_job_done(end)) return JobState::kDone;
  switch (end.code) {
    case ExitCode::kCancelled:
      return JobState::kCancelled;
    case ExitCode::kPaused:
    case ExitCode::kRangesHeld:
    case ExitCode::kReadyForCutOver:
    case ExitCode::kUnreachable:
    case ExitCode::kWorkLeft:
      return JobState::kReady;
    default:
      return JobState::kFailed;
  }
}

}  // namespace pgsluice::engine
