#include <algorithm>
#include <chrono>
#include <csignal>
#include <functional>
#include <memory>
#include <vector>

#include "cli/commands.hpp"
#include "cli/confirmation.hpp"
#include "cli/job_source.hpp"
#include "cli/noting_sink.hpp"
#include "pgsluice/report.hpp"

namespace pgsluice::cli {
namespace {

ReportOptions report_options(const Arguments& arguments) {
  ReportOptions options;
  options.style = choose_report_style(arguments.json, arguments.quiet);
  options.color = choose_color();
  options.log_batches = arguments.log_batches;
  return options;
}

/// Reports what `work` does, on a screen, in lines or as JSON. A failure that the summary has already
/// reported is thrown again only with --json: programs read stderr's last line.
ExitCode report(const Arguments& arguments, const std::function<ExitCode(EventSink&)>& work) {
  std::signal(SIGPIPE, SIG_IGN);  // a reader that goes away must not end a run or change its exit code
  const auto reporter = make_reporter(report_options(arguments));
  NotingSink sink(*reporter, arguments.command_line);
  try {
    const ExitCode code = work(sink);
    reporter->finish();
    return code;
  } catch (const Error& error) {
    reporter->finish();
    if (arguments.json || !sink.has_summary()) throw;
    return error.code();
  }
}

void apply_lanes(Job& job, const Arguments& arguments) {
  if (!arguments.lanes) return;
  const auto mistake = apply_tunable(job.tunables, "pool.lanes", std::to_string(*arguments.lanes));
  if (!mistake.empty()) throw Error(ExitCode::kUsage, "--lanes: " + mistake);
}

ExitCode run_job(const Job& job, const Arguments& arguments, const RunOptions& limits) {
  RunOptions options = limits;
  options.yield_exit_code = arguments.yield_exit_code;
  return report(arguments, [&](EventSink& sink) {
    return Engine(choose_dsn(arguments.dsn, job.dsn)).run(job, options, sink);
  });
}

std::chrono::seconds time_left(std::chrono::seconds duration, std::chrono::steady_clock::time_point began) {
  const auto left = duration - (std::chrono::steady_clock::now() - began);
  return std::max(std::chrono::seconds{0}, std::chrono::ceil<std::chrono::seconds>(left));
}

}  // namespace

ExitCode run_jobs(const Arguments& arguments) {
  std::vector<Job> jobs;  // all are read before the first starts: a mistake in the last file must not stop
                          // the others half-way
  for (const auto& path : expand_jobs(arguments.jobs)) {
    jobs.push_back(load_job(path, arguments.environment));
    apply_lanes(jobs.back(), arguments);
  }
  // --for covers all of them together.
  const auto began = std::chrono::steady_clock::now();
  RunOptions limits = arguments.run;
  ExitCode result = ExitCode::kDone;
  for (const auto& job : jobs) {
    if (limits.duration) limits.duration = time_left(*arguments.run.duration, began);
    const ExitCode code = run_job(job, arguments, limits);
    if (code != ExitCode::kDone && code != ExitCode::kQuarantined) return code;
    if (code == ExitCode::kQuarantined) result = code;
  }
  return result;
}

ExitCode rollback_job(const Arguments& arguments) {
  Job job = load_job(arguments.job, arguments.environment);
  apply_lanes(job, arguments);
  Engine engine(choose_dsn(arguments.dsn, job.dsn));
  confirm_act(arguments, [&] { return engine.rollback_notice(job); });
  RollbackOptions options{arguments.run, arguments.is_forced};
  options.yield_exit_code = arguments.yield_exit_code;
  return report(arguments, [&](EventSink& sink) { return engine.rollback(job, sink, options); });
}

ExitCode run_backfill(const Arguments& arguments) {
  Job job = job_of_flags(arguments.backfill);
  apply_lanes(job, arguments);
  return run_job(job, arguments, arguments.run);
}

}  // namespace pgsluice::cli
