#pragma once

#include <stdexcept>
#include <string>

namespace pgsluice {

/// How a command ends. The numbers are the process's exit codes: stable, documented in docs/operations.md.
enum class ExitCode : int {
  kDone = 0,             // nothing is left to do
  kFailed = 1,           // an error ended it: correct the cause and run again
  kUsage = 2,            // the command line is wrong; nothing was done
  kQuarantined = 3,      // done, but rows were set aside
  kMismatch = 4,         // a verify step found something other than it expects
  kRefused = 5,          // preflight, or the definition changed
  kPaused = 6,           // by an operator, for longer than throttle.give_up, or before it began
  kCancelled = 7,        // by an operator
  kReadyForCutOver = 9,  // waits for the operator to run cutover
  kNoSuchJob = 10,       // the ledger knows no job of that name
  kRangesHeld = 11,      // other live runs hold every range that is left
  kUnreachable = 69,     // the database cannot be reached; run again once it can
  kInternal = 70,        // a mistake of pgsluice itself
  kWorkLeft = 75,        // stopped with work left: run again
  kPrivileges = 77,      // the role lacks a grant, which the message names
  kJobFile = 78,         // the job file holds mistakes, or cannot be read
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
