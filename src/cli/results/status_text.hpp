#pragma once

#include <string>
#include <vector>

#include "base/json.hpp"
#include "pgsluice/error.hpp"
#include "pgsluice/overview.hpp"

namespace pgsluice::cli {

/// The job's state; "interrupted" if the ledger says running but there is no live run.
std::string state_text(const JobOverview& job);

/// All jobs, one per line.
std::vector<std::string> job_list_lines(const std::vector<JobOverview>& jobs);

/// One job: its state and control, its steps with their progress, its runs.
std::vector<std::string> job_lines(const JobOverview& job);

/// One job on one line, for logs.
std::string job_line(const JobOverview& job);

base::Json job_json(const JobOverview& job);

/// True once no run will continue it, not even one started again.
bool is_over(const JobOverview& job);

/// How a job that is over ended.
ExitCode exit_code_of(const JobOverview& job);

}  // namespace pgsluice::cli
