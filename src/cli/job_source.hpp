#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/arguments.hpp"
#include "pgsluice/folder.hpp"
#include "pgsluice/job.hpp"
#include "pgsluice/job_file.hpp"

namespace pgsluice::cli {

/// The checked job of a file, with the overlay of --env. All mistakes are printed on stderr, then
/// Error(kJobFile) is thrown.
Job load_job(const std::filesystem::path& path, const std::string& environment);

/// The job that the flags of `backfill` describe. Mistakes are printed likewise, then Error(kUsage) is
/// thrown.
Job job_of_flags(const BackfillFlags& flags);

/// Files as they are, and each folder as its *.toml files in the byte order of their names. Throws
/// Error(kUsage) for a folder without any.
std::vector<std::filesystem::path> expand_jobs(const std::vector<std::string>& jobs);

/// Whether `path` is a folder.
bool is_folder(const std::string& path);

/// The checked jobs of files and folders, in order. Mistakes end it as in load_job. If there is a folder, so
/// do, with Error(kJobFile), two files with one job name or the same steps that go to the same database.
std::vector<FiledJob> load_jobs(const std::vector<std::string>& jobs, const Arguments& arguments);

/// Jobs that go to one database.
struct JobsOfDatabase {
  std::string dsn;
  std::vector<FiledJob> jobs;
};

/// The same jobs by where they connect to, in the order in which the databases are first named.
std::vector<JobsOfDatabase> by_database(const std::vector<FiledJob>& jobs, const Arguments& arguments);

/// The jobs of a folder whose act is on one database. Throws Error(kUsage) if its files name several.
JobsOfDatabase load_folder_of_one_database(const Arguments& arguments);

/// A job in the ledger, as a NAME argument gives it.
struct LedgerJob {
  std::string name;
  std::string dsn;                      // to connect with
  Milliseconds kill_blockers_after{0};  // of its first retype, as in the job file; 0 without a file
  bool is_confirmed_first = false;  // in its environment; without a file only "production" is known to ask
};

/// NAME is a name, or a job file (it ends in .toml or is an existing file) that gives the name and perhaps
/// the dsn.
LedgerJob find_ledger_job(const Arguments& arguments);

/// Whether an operator has to confirm what happens to the job: its environment says so, or is "production".
bool is_confirmed_first(const Job& job, const Arguments& arguments);

/// --dsn, else the job file's, else DATABASE_URL, else empty: libpq's PG* variables decide.
std::string choose_dsn(const std::string& flag, const std::string& of_file);

}  // namespace pgsluice::cli
