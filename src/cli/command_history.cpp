#include "cli/commands.hpp"
#include "cli/job_source.hpp"
#include "cli/results/history_text.hpp"
#include "cli/results/json_text.hpp"
#include "cli/results/plain_text.hpp"

namespace pgsluice::cli {

ExitCode show_history(const Arguments& arguments) {
  const LedgerJob job = find_ledger_job(arguments);
  for (const auto& entry : Engine(job.dsn).history(job.name, arguments.limit)) {
    print_line(arguments.json ? json_line(entry_json(job.name, entry)) : entry_line(entry));
  }
  return ExitCode::kDone;
}

ExitCode show_failures(const Arguments& arguments) {
  const LedgerJob job = find_ledger_job(arguments);
  const auto rows = Engine(job.dsn).failures(job.name);
  if (!arguments.json) {
    for (const auto& line : failure_lines(rows)) print_line(line);
    return ExitCode::kDone;
  }
  for (const auto& row : rows) print_line(json_line(failure_json(job.name, row)));
  return ExitCode::kDone;
}

}  // namespace pgsluice::cli
