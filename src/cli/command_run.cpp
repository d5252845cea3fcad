#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cli/clean_check.hpp"
#include "cli/commands.hpp"
#include "cli/confirmation.hpp"
#include "cli/job_source.hpp"
#include "cli/noting_sink.hpp"
#include "cli/results/json_text.hpp"
#include "cli/results/plain_text.hpp"
#include "cli/results/status_text.hpp"
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
    Engine engine(choose_dsn(arguments.dsn, job.dsn));
    require_clean_check(engine, job, arguments, sink);
    return engine.run(job, options, sink);
  });
}

std::chrono::seconds time_left(std::chrono::seconds duration, std::chrono::steady_clock::time_point began) {
  const auto left = duration - (std::chrono::steady_clock::now() - began);
  return std::max(std::chrono::seconds{0}, std::chrono::ceil<std::chrono::seconds>(left));
}

/// Whether a run would find nothing to do and nothing to say.
bool is_nothing_left(const FolderEntry& entry) {
  return entry.standing == JobStanding::kApplied && entry.known->control == Control::kRun &&
         exit_code_of(*entry.known) == ExitCode::kDone;
}

/// The files of the jobs that are applied already. One look for all of them: a folder may hold hundreds.
std::set<std::string> applied_files(const std::vector<FiledJob>& jobs, const Arguments& arguments) {
  std::set<std::string> applied;
  for (const auto& database : by_database(jobs, arguments)) {
    if (database.jobs.size() == 1) continue;  // its run says it itself
    try {
      const auto folder = Engine(database.dsn).folder_status(database.jobs);
      for (std::size_t i = 0; i < database.jobs.size(); ++i) {
        const auto& entry = folder.jobs[i];
        if (is_nothing_left(entry) && !is_repeated(database.jobs[i].job)) applied.insert(entry.file);
      }
    } catch (const Error&) {
      // The look only saves time. The first run meets the same trouble, waits for a server that restarts,
      // and tells it with a hint.
    }
  }
  return applied;
}

void tell_applied(const std::vector<FiledJob>& jobs, const std::set<std::string>& applied,
                  const Arguments& arguments) {
  if (applied.empty()) return;
  if (!arguments.json) {
    if (arguments.quiet) return;
    std::fprintf(stderr, "%zu of %zu jobs are applied already\n", applied.size(), jobs.size());
    return;
  }
  for (const auto& filed : jobs) {
    if (!applied.contains(filed.file)) continue;
    print_line(json_line({{"type", "job_applied"}, {"job", filed.job.name}, {"file", filed.file}}));
  }
  std::fflush(stdout);
}

}  // namespace

ExitCode run_jobs(const Arguments& arguments) {
  // All are read before the first starts: a mistake in the last file must not stop the others half-way.
  auto jobs = load_jobs(arguments.jobs, arguments);
  for (auto& filed : jobs) apply_lanes(filed.job, arguments);
  confirm_environment(arguments, act_to_confirm("run", jobs, arguments));
  const auto applied = applied_files(jobs, arguments);
  tell_applied(jobs, applied, arguments);
  // --for covers all of them together.
  const auto began = std::chrono::steady_clock::now();
  RunOptions limits = arguments.run;
  ExitCode result = ExitCode::kDone;
  for (const auto& filed : jobs) {
    if (applied.contains(filed.file)) continue;
    if (limits.duration) limits.duration = time_left(*arguments.run.duration, began);
    const ExitCode code = run_job(filed.job, arguments, limits);
    if (code != ExitCode::kDone && code != ExitCode::kQuarantined) return code;
    if (code == ExitCode::kQuarantined) result = code;
  }
  return result;
}

ExitCode roll_back(Job job, const Arguments& arguments) {
  apply_lanes(job, arguments);
  RollbackOptions options{arguments.run, arguments.is_forced};
  options.yield_exit_code = arguments.yield_exit_code;
  return report(arguments, [&](EventSink& sink) {
    Engine engine(choose_dsn(arguments.dsn, job.dsn));
    require_clean_check(engine, job, arguments, sink);
    return engine.rollback(job, sink, options);
  });
}

ExitCode rollback_job(const Arguments& arguments) {
  if (!arguments.last.empty())
    throw Error(ExitCode::kUsage, "--to is for a folder of jobs", "rollback FOLDER --to NAME");
  const Job job = load_job(arguments.job, arguments.environment);
  confirm_environment(arguments, act_to_confirm("roll back", {{arguments.job, job}}, arguments),
                      [&] { return Engine(choose_dsn(arguments.dsn, job.dsn)).rollback_notice(job); });
  return roll_back(job, arguments);
}

ExitCode run_backfill(const Arguments& arguments) {
  Job job = job_of_flags(arguments.backfill);
  apply_lanes(job, arguments);
  confirm_environment(arguments, act_to_confirm("run", {{"", job}}, arguments));
  return run_job(job, arguments, arguments.run);
}

}  // namespace pgsluice::cli
