#pragma once

#include <chrono>
#include <ctime>
#include <optional>
#include <string>
#include <vector>

#include "pgsluice/error.hpp"
#include "pgsluice/event.hpp"
#include "pgsluice/folder.hpp"
#include "pgsluice/job.hpp"
#include "pgsluice/overview.hpp"
#include "pgsluice/plan.hpp"
#include "pgsluice/state.hpp"

namespace pgsluice {

/// The bounds of one run.
struct RunOptions {
  std::optional<std::chrono::seconds> duration;  // --for
  std::optional<std::time_t> until;              // --until, as an instant
  std::chrono::seconds wait{0};                  // for ranges that other live runs hold, before kRangesHeld
  std::chrono::seconds grace{20};  // between the first SIGTERM and cancelling the batches in flight
  bool handle_signals = true;      // SIGTERM, SIGINT: drain; the second aborts
  // Exit code of the process instead of kWorkLeft if it has to end while threads still wait for the server.
  std::optional<int> yield_exit_code;
};

/// The bounds of one rollback.
struct RollbackOptions : RunOptions {
  bool force = false;  // put old values back also where others changed them since
};

/// What `verify` may do.
struct VerifyOptions {
  bool repair = false;  // mend the rows of copy steps that are missing or different
};

/// What `contract` may skip.
struct ContractOptions {
  bool unproven = false;  // proceed although verify steps below the retype are not done
};

/// Everything that the program can do with a job. Start here. Every call opens its own connection, blocks
/// until it is finished, and belongs to one thread; different Engines are independent. Throws only Error,
/// whatever ends a call.
class Engine {
 public:
  /// `dsn` in libpq's syntax, empty for PG* variables. Does not connect yet.
  explicit Engine(std::string dsn);

  /// Where it connects, in words and without secrets: "database \"app\" on db1:5432 as alice". Does not
  /// connect.
  std::string target() const;

  /// Every statement in order, with the lock it takes, and what the job will cost. Keeps nothing: what the
  /// options let it try is rolled back.
  Plan plan(const Job& job, const PlanOptions& options = {});
  /// Preflight: findings, worst first; run refuses if one has level kRefuse. Writes nothing.
  /// `reads_values`: also reads whole tables where a retype may lose values or rows may have no parent.
  std::vector<Finding> check(const Job& job, bool reads_values = true);
  /// Starts the job or continues it. Events go to `sink`, the last one is a Summary. Returns the exit code;
  /// throws Error for refusals before the first write and for failures, after the Summary is published.
  ExitCode run(const Job& job, const RunOptions& options, EventSink& sink);
  /// Runs every verify step, counts the rows that still match each backfill's `where`, and compares both
  /// sides of each copy. Writes nothing but what the options let it mend.
  ExitCode verify(const Job& job, EventSink& sink, const VerifyOptions& options = {});
  /// Undoes the steps in reverse order, as a run: with lanes, at the governor's pace, stopped and continued
  /// like one; until it is finished no other run starts. Old values go back where the new ones still stand;
  /// rows that were changed since are kept, and failures() lists them. Throws Error(kRefused), before
  /// touching anything, if a step cannot be undone.
  ExitCode rollback(const Job& job, EventSink& sink, const RollbackOptions& options = {});
  /// Frees the before-images of a job: its steps that kept them cannot be undone any more. Returns how many
  /// bytes were freed. Throws Error(kRefused) while the job is running or being rolled back.
  std::int64_t drop_undo(const std::string& name);

  /// Cuts over a retype that is ready: old and new columns exchange names in one transaction, tried again
  /// until it gets its locks. Sessions that block it for longer than `kill_blockers_after` are ended; 0:
  /// never. Throws Error(kRefused) if no step of the job is ready.
  ExitCode cutover(const std::string& name, Milliseconds kill_blockers_after, EventSink& sink);
  /// Drops the old columns of a retype that is cut over. This cannot be undone. Throws Error(kRefused) while
  /// verify steps below it are not done, unless the options allow it.
  ExitCode contract(const std::string& name, EventSink& sink, const ContractOptions& options = {});

  /// Ends the following of a copy: asks the run that follows to refuse writers at the source, and waits for
  /// its answer. Writers wait for at most `pause`; if the rest does not fit into it they go on as before, and
  /// the answer is kWorkLeft. kMismatch: rows differ. Throws Error(kRefused) if no run follows.
  ExitCode switch_over(const std::string& name, Milliseconds pause, EventSink& sink);

  /// What each act would do now, one sentence per line, to show an operator before asking: steps, tables, and
  /// what cannot be undone. Empty: nothing to do, or the act itself says why it cannot be done. Writes
  /// nothing.
  std::vector<std::string> cutover_notice(const std::string& name);
  std::vector<std::string> contract_notice(const std::string& name);
  std::vector<std::string> rollback_notice(const Job& job);
  std::vector<std::string> switch_notice(const std::string& name);

  /// From the ledger, from any machine. Empty name: every job.
  std::vector<JobOverview> status(const std::string& name);
  std::vector<LogEntry> history(const std::string& name, int limit);
  std::vector<QuarantinedRow> failures(const std::string& name);

  /// What live runs shall do, and those that begin later; kRun resumes. They obey within half a second.
  void control(const std::string& name, Control control, const std::string& reason);
  /// Sets one tunable ("batch.target", "500ms"), checked together with the values set before.
  void set(const std::string& name, const std::string& key, const std::string& value,
           const std::string& reason);
  /// Corrects a step's state in the ledger by hand; an empty `step` means every step of the job. Throws
  /// Error(kRefused) while the job has a live run.
  void resolve(const std::string& name, const std::string& step, bool is_applied, const std::string& reason);

  /// Where each job of a folder stands, from one read of the ledger, and what the version tables of other
  /// tools say. Writes nothing.
  FolderOverview folder_status(const std::vector<FiledJob>& jobs);
  /// The jobs behind job `to` that have left something in the database, last one first: what to give to
  /// rollback() one after the other. Writes nothing. Throws Error(kRefused) that names every obstacle if one
  /// of them cannot be rolled back, and Error(kNoSuchJob) if the folder has no job `to`.
  std::vector<FiledJob> folder_rollback(const std::vector<FiledJob>& jobs, const std::string& to);
  /// Notes all jobs up to and including `up_to` as applied by others, without running anything; returns the
  /// names of those that were not applied before. All or none. Throws Error(kRefused) if one of them has
  /// begun and is not applied, and Error(kNoSuchJob) if the folder has no job `up_to`.
  std::vector<std::string> adopt(const std::vector<FiledJob>& jobs, const std::string& up_to,
                                 const std::string& reason);

 private:
  std::string dsn_;
};

}  // namespace pgsluice
