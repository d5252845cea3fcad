#pragma once

#include <exception>
#include <string>

#include "pg/failure.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::engine {

/// The party waiting for the answer: an operator at a prompt, or a run that can be started again.
enum class Asker { kOperator, kRun };

/// The only mapping from a server's failure to how the program ends: exit code, message and hint by SQLSTATE.
/// Pure.
Error error_of(const pg::Failure& failure, Asker asker);

/// Of a statement of the operator's that failed for good: kPrivileges if the role lacks one, else kFailed.
ExitCode exit_code_of(const std::string& sqlstate);

/// The error's message; empty for nullptr.
std::string message_of(const std::exception_ptr& error);

}  // namespace pgsluice::engine
