#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "base/password_blot.hpp"
#include "cli/arguments.hpp"
#include "cli/commands.hpp"
#include "cli/results/error_text.hpp"

namespace {

using namespace pgsluice;

int exit_status(ExitCode code, const cli::Arguments& arguments) {
  if (code == ExitCode::kWorkLeft) return arguments.yield_exit_code.value_or(static_cast<int>(code));
  return static_cast<int>(code);
}

ExitCode answer_or_perform(const cli::Arguments& arguments) {
  if (arguments.answer.empty()) return cli::perform(arguments);
  std::fputs(arguments.answer.c_str(), stdout);
  return ExitCode::kDone;
}

/// Output that could not be written counts as a failure. A run has done its work all the same; the ledger
/// records it.
void require_printed(const cli::Arguments& arguments) {
  const bool is_said_elsewhere = arguments.verb == cli::Verb::kRun || arguments.verb == cli::Verb::kBackfill;
  const bool is_written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  if (is_written || (is_said_elsewhere && arguments.answer.empty())) return;
  throw Error(ExitCode::kFailed, "the result could not be written to standard output",
              "the disk may be full, or the reader of the pipe may have exited");
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + std::min(argc, 1), argv + argc);
  base::blot_out_passwords(argc, argv);
  // Known before parsing, so that a mistake in the flags is reported in the requested form too.
  const bool json = std::find(words.begin(), words.end(), "--json") != words.end();

  cli::Arguments arguments;
  try {
    arguments = cli::parse_arguments(words);
    const auto code = answer_or_perform(arguments);
    if (code == ExitCode::kDone) require_printed(arguments);
    return exit_status(code, arguments);
  } catch (const Error& error) {
    cli::print_error(error, json);
    return exit_status(error.code(), arguments);
  } catch (const std::exception& fault) {
    const Error error(ExitCode::kInternal, std::string("internal error: ") + fault.what(),
                      "this is a bug in pgsluice: please report it with the job file and the event log");
    cli::print_error(error, json);
    return exit_status(error.code(), arguments);
  }
}
