#pragma once

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pgsluice/job.hpp"
#include "pgsluice/overview.hpp"
#include "pgsluice/state.hpp"

namespace pgsluice {

/// One job file of a folder. A folder is a list of them, in the order in which they are applied: the byte
/// order of the file names.
struct FiledJob {
  std::string file;  // as it is shown
  Job job;
};

/// What keeps the jobs of a folder from being told apart, one sentence each: two files with one job name, or
/// the same steps under two job names. Empty: nothing. Pure.
std::vector<std::string> find_twins(const std::vector<FiledJob>& jobs);

/// Where a job of a folder stands, by the ledger and the file.
enum class JobStanding {
  kPending,      // nothing of it has begun
  kInProgress,   // a live run works on it
  kInterrupted,  // work has begun, and no live run is at it
  kFailed,       // the last run ended with an error
  kCancelled,    // by an operator
  kApplied,      // every step is done
  kChanged,      // it has left something behind, and the file now defines it differently
  kRolledBack,   // every step that had changed something is undone
};

/// The names in JSON and on the screen.
inline constexpr std::array kStandings{
    std::pair{JobStanding::kPending, "pending"},         std::pair{JobStanding::kInProgress, "in progress"},
    std::pair{JobStanding::kInterrupted, "interrupted"}, std::pair{JobStanding::kFailed, "failed"},
    std::pair{JobStanding::kCancelled, "cancelled"},     std::pair{JobStanding::kApplied, "applied"},
    std::pair{JobStanding::kChanged, "changed since"},   std::pair{JobStanding::kRolledBack, "rolled back"}};

inline constexpr const char* name_of(JobStanding standing) {
  return name_in(kStandings, standing);
}

/// A job of a folder beside what the ledger knows of it.
struct FolderEntry {
  std::string file;
  std::string job;
  JobStanding standing = JobStanding::kPending;
  std::string reason;                   // why it failed, what was changed, …; empty: nothing to say
  std::vector<std::string> difference;  // "- was" and "+ is" of every step that the file defines differently
  std::optional<JobOverview> known;     // nothing: the ledger does not know the job
};

/// What the version table of another tool says about the database.
struct OtherVersion {
  std::string tool;     // "Alembic", "Flyway", "Rails", "golang-migrate"
  std::string table;    // quoted
  std::string version;  // the latest; empty: none
  std::string remark;   // "the last change failed half-way", or why it cannot be read; empty: nothing to say
};

/// A folder of jobs beside the ledger of a database.
struct FolderOverview {
  std::vector<FolderEntry> jobs;           // in the folder's order
  std::vector<JobOverview> not_in_folder;  // jobs that the ledger knows and the folder does not
  std::vector<OtherVersion> others;
};

}  // namespace pgsluice
