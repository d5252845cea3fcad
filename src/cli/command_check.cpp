#include "cli/commands.hpp"
#include "cli/job_source.hpp"
#include "cli/results/json_text.hpp"
#include "cli/results/plain_text.hpp"
#include "cli/results/plan_text.hpp"

namespace pgsluice::cli {

ExitCode check_job(const Arguments& arguments) {
  const Job job = load_job(arguments.job, arguments.environment);
  const auto findings = Engine(choose_dsn(arguments.dsn, job.dsn)).check(job);
  const int code = exit_code_of(findings);
  if (arguments.json) {
    print_line(json_document(findings_json(job.name, findings)));
  } else {
    for (const auto& line : finding_lines(findings)) print_line(line);
    print_line("job \"" + job.name + "\": " + (code == 0 ? "ready to run" : "run would refuse"));
  }
  return static_cast<ExitCode>(code);
}

}  // namespace pgsluice::cli
