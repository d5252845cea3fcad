#pragma once

#include <stdexcept>
#include <string>

namespace pgsluice {

/// How a command ends. The numbers are the process's exit codes: stable, documented in docs/operations.md.
enum class ExitCode : int {
  kDone = 0,
  kFailed = 1,
  kUsage = 2,
  kQuarantined = 3,  // done, but rows were set aside
  kMismatch = 4,     // a verify step found something other than it expects
  kRefused = 5,      // preflight, or the definition changed
  kPaused = 6,
  kCancelled = 7,
  kReadyForCutOver = 9,  // waits for the operator to run cutover
  kNoSuchJob = 10,
  kRangesHeld = 11,  // other live runs hold every range that is left
  kUnreachable = 69,
  kInternal = 70,
  kWorkLeft = 75,  // stopped with work left: run again
  kPrivileges = 77,
  kJobFile = 78,
};

/// Ends the run. The message names the object ("table \"users\" has no unique key"), in lower case and
/// without a full stop; the hint is one sentence saying what to do. Neither ever contains a password.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message, std::string hint = {})
      : std::runtime_error(message), code_(code), hint_(std::move(hint)) {}

  ExitCode code() const noexcept { return code_; }
  const std::string& hint() const noexcept { return hint_; }

 private:
  ExitCode code_;
  std::string hint_;
};

}  // namespace pgsluice
