#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pgsluice/foretold.hpp"
#include "pgsluice/progress.hpp"
#include "pgsluice/state.hpp"

namespace pgsluice {

/// A copy that follows its source, as the run that does so has last told.
struct FollowOverview {
  bool is_following = false;  // what was there at the start is copied
  bool is_switched = false;
  Behind behind;
  double measured_age_s = 0;  // since that was measured
};

/// What the ledger knows about a job, for `status`: valid from any machine, even while nothing runs.
struct StepOverview {
  std::string name;  // an act's is "STEP: what it does"
  std::string kind;
  StepState state = StepState::kWaiting;
  std::string error;  // that it last failed by; empty: none
  std::string
      part;  // of an act: the part of its retype; that retype is the last step before it without a part
  std::string detail;              // of a retype: "ready for cut-over", "cut over", "contracted"
  std::int64_t rows_expected = 0;  // an estimate; 0: none
  RowCounts rows;
  std::int64_t batches = 0;  // committed
  int ranges = 0;            // that its rows were cut into, so far
  int ranges_done = 0;
  std::int64_t undo_bytes = 0;         // of its before-images; 0: there are none
  double undo_age_s = 0;               // since the first could be written
  std::optional<Foretold> foretold{};  // of a backfill, when its first run began it
  CameTrue came_true{};
  std::optional<FollowOverview> follow{};  // of a copy that follows its source and has begun
};

/// A run that has not ended, as its own row in the ledger says.
struct RunOverview {
  std::string run_id;  // UUID
  std::string host;
  int pid = 0;
  double heartbeat_age_s = 0;  // since it last renewed its lease
  bool is_live = false;        // its lease has not ended, nor is its process known to be gone
  std::string progress;        // the progress line that the run itself shows
};

/// A job with its steps and its live runs.
struct JobOverview {
  std::string name;
  std::string description;
  JobState state = JobState::kReady;
  Control control = Control::kRun;
  std::string control_reason;         // as the operator gave it
  std::string control_actor;          // "user@host"; empty: nobody has said anything yet
  std::vector<std::string> tunables;  // "batch.target=500ms", laid over the job file
  std::vector<StepOverview> steps;    // in the job's order, acts behind their retype
  std::vector<RunOverview> runs;      // only those that have not ended
  std::string ended_at{};             // RFC 3339, UTC: when it was done, failed, …; empty: it has not ended
};

/// A row that could not be changed, set aside with its error.
struct QuarantinedRow {
  std::string step;
  std::string key;       // as the server writes it, columns with commas between them
  std::string sqlstate;  // of the error
  std::string message;
  std::string at;  // RFC 3339, UTC
};

/// One line of a job's event log.
struct LogEntry {
  std::string at;      // RFC 3339, milliseconds, UTC
  std::string run_id;  // empty: an operator's command outside a run
  std::string type;    // as event_type() names it
  std::string fields;  // JSON object
};

}  // namespace pgsluice
