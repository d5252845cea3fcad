#include "cli/commands.hpp"
#include "cli/job_source.hpp"
#include "cli/results/json_text.hpp"
#include "cli/results/plain_text.hpp"
#include "cli/results/plan_text.hpp"

namespace pgsluice::cli {

ExitCode plan_job(const Arguments& arguments) {
  const Job job = load_job(arguments.job, arguments.environment);
  const Plan plan = Engine(choose_dsn(arguments.dsn, job.dsn)).plan(job, arguments.plan);
  if (arguments.json) {
    print_line(json_document(plan_json(plan)));
  } else {
    for (const auto& line : plan_lines(plan)) print_line(line);
  }
  return ExitCode::kDone;
}

}  // namespace pgsluice::cli
