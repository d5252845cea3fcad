#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/process_identity.hpp"
#include "pg/connection/session.hpp"
#include "pgsluice/state.hpp"

namespace pgsluice::ledger {

/// What an operator has requested, as the heartbeat reads it.
struct Orders {
  Control control = Control::kRun;
  std::string reason;
  std::string actor;
  std::vector<std::string> tunables;  // "batch.target=500ms", in the order set
  std::int64_t tunables_version = 0;
  double seconds_of_day = 0;  // in the window's time zone, by the server's clock
  bool is_run_alive = true;   // false: our lease had expired, or another process ended the run
  bool is_overtaken = false;  // that was because the job has begun anew
};

/// Writes the run's row with its first lease. `run_id` is a fresh UUID.
void register_run(pg::Session& session, std::int64_t job_id, const std::string& run_id,
                  const std::string& version, const base::ProcessIdentity& process);

/// Ends runs of this job whose process is certainly gone (same host and boot), which frees their ranges at
/// once. Returns how many.
int end_gone_runs(pg::Session& session, std::int64_t job_id);

/// Sets the job's state kRunning, if others have not ended the run and the job is not being rolled back.
void set_job_running(pg::Session& session, std::int64_t job_id, const std::string& run_id);

/// How many other live runs the job has.
int other_live_runs(pg::Session& session, std::int64_t job_id, const std::string& run_id);

/// Renews the lease by the server's clock, stores the progress text for `status`, and reads control.
Orders heartbeat(pg::Session& session, std::int64_t job_id, const std::string& run_id,
                 const std::string& progress, const std::string& timezone);

/// Reads control without renewing anything; called every half second.
Orders read_orders(pg::Session& session, std::int64_t job_id, const std::string& run_id,
                   const std::string& timezone);

/// Ends our run and frees its ranges.
void end_run(pg::Session& session, const std::string& run_id, const std::string& outcome, int exit_code);

}  // namespace pgsluice::ledger
