#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/arguments.hpp"
#include "pgsluice/job.hpp"
#include "pgsluice/job_file.hpp"

namespace pgsluice::cli {

/// The checked job of a file, with the overlay of --env. All mistakes are printed on stderr, then
/// Error(kJobFile) is thrown.
Job load_job(const std::filesystem::path& path, const std::string& environment);

/// The job that the flags of `backfill` describe. Mistakes are printed likewise, then Error(kUsage) is
/// thrown.
Job job_of_flags(const BackfillFlags& flags);

/// Files as they are, and each folder as its *.toml files in name order. Throws Error(kUsage) for a folder
/// without any.
std::vector<std::filesystem::path> expand_jobs(const std::vector<std::string>& jobs);

/// A job in the ledger, as a NAME argument gives it.
struct LedgerJob {
  std::string name;
  std::string dsn;                      // to connect with
  Milliseconds kill_blockers_after{0};  // of its first retype, as in the job file; 0 without a file
};

/// NAME is a name, or a job file (it ends in .toml or is an existing file) that gives the name and perhaps
/// the dsn.
LedgerJob find_ledger_job(const Arguments& arguments);

/// --dsn, else the job file's, else DATABASE_URL, else empty: libpq's PG* variables decide.
std::string choose_dsn(const std::string& flag, const std::string& of_file);

}  // namespace pgsluice::cli
