#include "cli/job_source.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <system_error>

#include "cli/output/plain_text.hpp"
#include "pgsluice/error.hpp"

namespace pgsluice::cli {
namespace {

namespace fs = std::filesystem;

/// The job, unless its source has mistakes.
Job checked(JobFile file, ExitCode code, const std::string& source) {
  if (file.ok()) return std::move(file.job);
  for (const auto& diagnostic : file.diagnostics) {
    for (const auto& line : plain_lines(to_string(diagnostic))) std::fprintf(stderr, "%s\n", line.c_str());
  }
  const auto count = file.diagnostics.size();
  throw Error(code, std::to_string(count) + (count == 1 ? " mistake in " : " mistakes in ") + source,
              "nothing was started");
}

std::vector<fs::path> files_of_folder(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(folder, failure)) {
    if (entry.path().extension() == ".toml" && entry.is_regular_file()) files.push_back(entry.path());
  }
  if (failure)
    throw Error(ExitCode::kUsage, "cannot read folder \"" + folder.string() + "\": " + failure.message());
  if (files.empty()) {
    throw Error(ExitCode::kUsage, "folder \"" + folder.string() + "\" contains no job file",
                "job files end in .toml");
  }
  std::sort(files.begin(), files.end());
  return files;
}

bool is_job_file(const std::string& name) {
  std::error_code ignored;  // a path that cannot be examined is not a file
  return fs::path(name).extension() == ".toml" || fs::is_regular_file(name, ignored);
}

}  // namespace

Job load_job(const fs::path& path, const std::string& environment) {
  return checked(load_job_file(path, environment), ExitCode::kJobFile, "\"" + path.string() + "\"");
}

Job job_of_flags(const BackfillFlags& flags) {
  return checked(job_from_flags(flags), ExitCode::kUsage, "the flags");
}

std::vector<fs::path> expand_jobs(const std::vector<std::string>& jobs) {
  std::vector<fs::path> files;
  for (const auto& job : jobs) {
    std::error_code ignored;  // a path that cannot be examined is reported when it is read
    if (!fs::is_directory(job, ignored)) {
      files.emplace_back(job);
      continue;
    }
    const auto found = files_of_folder(job);
    files.insert(files.end(), found.begin(), found.end());
  }
  return files;
}

LedgerJob find_ledger_job(const Arguments& arguments) {
  if (!is_job_file(arguments.name)) return {arguments.name, choose_dsn(arguments.dsn, ""), {}};
  const Job job = load_job(arguments.name, arguments.environment);
  LedgerJob found{job.name, choose_dsn(arguments.dsn, job.dsn), {}};
  for (const auto& step : job.steps) {
    if (const auto* retype = step.as<RetypeStep>()) found.kill_blockers_after = retype->kill_blockers_after;
  }
  return found;
}

std::string choose_dsn(const std::string& flag, const std::string& of_file) {
  if (!flag.empty()) return flag;
  if (!of_file.empty()) return of_file;
  const char* url = std::getenv("DATABASE_URL");
  return url ? url : "";
}

}  // namespace pgsluice::cli
