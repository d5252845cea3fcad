#include "cli/job_source.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <system_error>

#include "cli/results/plain_text.hpp"
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
  // Bytes, not the words of a locale: the order is the same on every machine.
  std::sort(files.begin(), files.end(), [](const fs::path& one, const fs::path& other) {
    return one.filename().native() < other.filename().native();
  });
  return files;
}

bool is_job_file(const std::string& name) {
  std::error_code ignored;  // a path that cannot be examined is not a file
  return fs::path(name).extension() == ".toml" || fs::is_regular_file(name, ignored);
}

void refuse_twins(const std::vector<FiledJob>& jobs) {
  const auto twins = find_twins(jobs);
  if (twins.empty()) return;
  std::string message = twins.front();
  for (std::size_t i = 1; i < twins.size(); ++i) message += "\n  " + twins[i];
  throw Error(ExitCode::kJobFile, message,
              "give every job a name and steps of its own, or remove one file; nothing was started");
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
    if (!is_folder(job)) {
      files.emplace_back(job);
      continue;
    }
    const auto found = files_of_folder(job);
    files.insert(files.end(), found.begin(), found.end());
  }
  return files;
}

bool is_folder(const std::string& path) {
  std::error_code ignored;  // a path that cannot be examined is reported when it is read
  return fs::is_directory(path, ignored);
}

std::vector<FiledJob> load_jobs(const std::vector<std::string>& jobs, const Arguments& arguments) {
  std::vector<FiledJob> all;
  for (const auto& path : expand_jobs(jobs))
    all.push_back({path.string(), load_job(path, arguments.environment)});
  // Who names each file has chosen; a folder is taken as a whole.
  if (std::any_of(jobs.begin(), jobs.end(), is_folder)) {
    for (const auto& database : by_database(all, arguments)) refuse_twins(database.jobs);
  }
  return all;
}

std::vector<JobsOfDatabase> by_database(const std::vector<FiledJob>& jobs, const Arguments& arguments) {
  std::vector<JobsOfDatabase> databases;
  for (const auto& filed : jobs) {
    const auto dsn = choose_dsn(arguments.dsn, filed.job.dsn);
    auto found = std::find_if(databases.begin(), databases.end(),
                              [&](const JobsOfDatabase& known) { return known.dsn == dsn; });
    if (found == databases.end()) found = databases.insert(databases.end(), {dsn, {}});
    found->jobs.push_back(filed);
  }
  return databases;
}

JobsOfDatabase load_folder_of_one_database(const Arguments& arguments) {
  auto databases = by_database(load_jobs({arguments.job}, arguments), arguments);
  if (databases.size() == 1) return std::move(databases.front());
  throw Error(
      ExitCode::kUsage,
      "the files of \"" + arguments.job + "\" name " + std::to_string(databases.size()) + " databases",
      "give --dsn, or one folder for each database");
}

LedgerJob find_ledger_job(const Arguments& arguments) {
  if (!is_job_file(arguments.name))
    return {arguments.name, choose_dsn(arguments.dsn, ""), {}, is_confirmed_first(Job{}, arguments)};
  const Job job = load_job(arguments.name, arguments.environment);
  LedgerJob found{job.name, choose_dsn(arguments.dsn, job.dsn), {}, is_confirmed_first(job, arguments)};
  for (const auto& step : job.steps) {
    if (const auto* retype = step.as<RetypeStep>()) found.kill_blockers_after = retype->kill_blockers_after;
  }
  return found;
}

bool is_confirmed_first(const Job& job, const Arguments& arguments) {
  return job.is_confirmed_first || arguments.environment == kProduction;
}

std::string choose_dsn(const std::string& flag, const std::string& of_file) {
  if (!flag.empty()) return flag;
  if (!of_file.empty()) return of_file;
  const char* url = std::getenv("DATABASE_URL");
  return url ? url : "";
}

}  // namespace pgsluice::cli
