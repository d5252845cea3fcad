#pragma once

#include "cli/arguments.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::cli {

/// One function for each verb, in a file command_*.cpp. Each connects, prints its result on stdout and its
/// progress on stderr, and returns how it ended; throws Error for a failure that is not printed yet.
ExitCode plan_job(const Arguments& arguments);
ExitCode check_job(const Arguments& arguments);
ExitCode run_jobs(const Arguments& arguments);
ExitCode run_backfill(const Arguments& arguments);
ExitCode bench_job(const Arguments& arguments);
ExitCode verify_job(const Arguments& arguments);
ExitCode rollback_job(const Arguments& arguments);
ExitCode drop_undo(const Arguments& arguments);
ExitCode cut_over(const Arguments& arguments);
ExitCode switch_over(const Arguments& arguments);
ExitCode contract(const Arguments& arguments);
ExitCode show_status(const Arguments& arguments);
ExitCode watch_job(const Arguments& arguments);
ExitCode show_history(const Arguments& arguments);
ExitCode show_failures(const Arguments& arguments);
ExitCode control_job(const Arguments& arguments);  // pause, resume, cancel
ExitCode set_tunables(const Arguments& arguments);
ExitCode resolve_step(const Arguments& arguments);

/// The same for a folder of jobs.
ExitCode plan_folder(const Arguments& arguments);
ExitCode check_folder(const Arguments& arguments);
ExitCode show_folder_status(const Arguments& arguments);
ExitCode verify_folder(const Arguments& arguments);
ExitCode rollback_folder(const Arguments& arguments);
ExitCode adopt_folder(const Arguments& arguments);

/// What the verbs do with one job: proves it, or undoes it without asking, and tells the result.
ExitCode verify(const Job& job, const Arguments& arguments);
ExitCode roll_back(Job job, const Arguments& arguments);

/// Does what the verb says.
ExitCode perform(const Arguments& arguments);

}  // namespace pgsluice::cli
