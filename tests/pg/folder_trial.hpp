#pragma once

#include <string>
#include <vector>

#include "pg/trial.hpp"

namespace pgsluice::test {

/// A folder of jobs on a database of its own. Job "NAME" adds a column to table t, and `down` drops it.
class FolderTrial {
 public:
  FolderTrial();

  Db& db() { return trial_.db(); }
  Trial& trial() { return trial_; }
  std::string path() const { return folder_.path() / "jobs"; }

  /// Writes jobs/FILE.
  void write(const std::string& file, const std::string& toml) const;
  /// Writes jobs/FILE: job `name` with its column; `rest`: lines of the step.
  void add(const std::string& file, const std::string& name, const std::string& rest = {}) const;
  /// Three jobs: one, two, three.
  void add_three() const;

  /// "pgsluice VERB jobs/ ARGS… --json"
  Finished verb(const std::string& verb, const std::vector<std::string>& args = {}) const;
  /// "pgsluice VERB NAME ARGS… --json"
  Finished on_job(const std::string& verb, std::vector<std::string> args) const;

  /// What `status jobs/` says: of all, and of one job.
  Json status() const;
  Json standing(const std::string& name) const;
  /// The states in the folder's order.
  std::vector<std::string> states() const;

  bool has_column(const std::string& name);

 private:
  Trial trial_;
  TempFolder folder_;
};

/// The toml of a job with one sql step "change".
std::string sql_job_of(const std::string& name, const std::string& up, const std::string& rest = {});

}  // namespace pgsluice::test
