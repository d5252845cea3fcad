#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pgsluice/bench.hpp"
#include "pgsluice/engine.hpp"
#include "pgsluice/job_file.hpp"

namespace pgsluice::cli {

enum class Verb {
  kPlan,
  kCheck,
  kRun,
  kBackfill,
  kBench,
  kVerify,
  kRollback,
  kDropUndo,
  kCutover,
  kContract,
  kSwitch,
  kStatus,
  kWatch,
  kHistory,
  kFailures,
  kPause,
  kResume,
  kCancel,
  kSet,
  kResolve,
  kAdopt,
};

/// One command line, read. A value; fields that a verb does not take keep their defaults.
struct Arguments {
  Verb verb = Verb::kStatus;
  std::string answer;       // not empty: help or version; print it and exit with 0
  std::string dsn;          // empty: not given
  std::string environment;  // --env; empty: none
  bool json = false;
  bool quiet = false;
  bool log_batches = false;
  std::optional<int> yield_exit_code;  // instead of 75

  std::string job;                // JOB: a file or a folder
  std::vector<std::string> jobs;  // JOB… of run: files and folders
  std::string name;               // NAME: of a job in the ledger, or its file; of status: or a folder
  BackfillFlags backfill;
  RunOptions run;
  PlanOptions plan;
  BenchOptions bench;
  std::string csv;  // of bench: files to write, empty: none
  std::string html;
  std::optional<int> lanes;
  std::chrono::seconds kill_blockers_after{0};  // of cutover; 0: as in the job file, else never
  Milliseconds pause{5'000};                    // of switch: how long writers may wait
  bool is_yes_said = false;                     // --yes: do not ask
  std::vector<std::string> accepted;  // --accept of run, rollback: warnings, as acceptance_name() says
  bool is_forced = false;             // of rollback
  ContractOptions contract;
  VerifyOptions verify;
  int limit = 100;  // events of history
  std::string reason;
  std::vector<std::string> settings;  // key=value
  std::string step;                   // of resolve; empty: the whole job
  std::string last;                   // --to of rollback, --up-to of adopt: a job of the folder
  bool is_applied = false;            // resolve; false: rolled back
  std::string command_line;           // to run again, quoted for a shell; empty if it holds a password
};

/// Reads the words after the program's name. Throws Error(kUsage), whose text holds no password.
Arguments parse_arguments(const std::vector<std::string>& words);

}  // namespace pgsluice::cli
