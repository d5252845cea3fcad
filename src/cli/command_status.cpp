#include "cli/commands.hpp"
#include "cli/job_source.hpp"
#include "cli/results/json_text.hpp"
#include "cli/results/plain_text.hpp"
#include "cli/results/status_text.hpp"

namespace pgsluice::cli {
namespace {

base::Json status_json(const std::vector<JobOverview>& jobs) {
  base::Json list = base::Json::array();
  for (const auto& job : jobs) list.push_back(job_json(job));
  return {{"type", "status"}, {"jobs", list}};
}

}  // namespace

ExitCode show_status(const Arguments& arguments) {
  const LedgerJob wanted = find_ledger_job(arguments);
  const auto jobs = Engine(wanted.dsn).status(wanted.name);
  if (arguments.json) {
    print_line(json_document(status_json(jobs)));
    return ExitCode::kDone;
  }
  for (const auto& line : wanted.name.empty() ? job_list_lines(jobs) : job_lines(jobs.front()))
    print_line(line);
  return ExitCode::kDone;
}

}  // namespace pgsluice::cli
