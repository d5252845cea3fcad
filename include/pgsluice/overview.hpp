#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "pgsluice/progress.hpp"

namespace pgsluice {

/// What the ledger knows about a job, for `status`: valid from any machine, even while nothing runs.
struct StepOverview {
  std::string name;
  std::string kind;
  std::string state;
  std::string error;
  std::string
      part;  // of an act: the part of its retype; that retype is the last step before it without a part
  std::string detail;  // of a retype: "ready for cut-over", "cut over", "contracted"
  std::int64_t rows_expected = 0;
  RowCounts rows;
  std::int64_t batches = 0;
  int ranges = 0;
  int ranges_done = 0;
};

struct RunOverview {
  std::string run_id;
  std::string host;
  int pid = 0;
  double heartbeat_age_s = 0;
  bool is_live = false;
  std::string progress;  // the progress line that the run itself shows
};

struct JobOverview {
  std::string name;
  std::string description;
  std::string state;
  std::string control;  // run, pause, cancel
  std::string control_reason;
  std::string control_actor;
  std::vector<std::string> tunables;
  std::vector<StepOverview> steps;
  std::vector<RunOverview> runs;  // only those that have not ended
};

/// A row that could not be changed, set aside with its error.
struct QuarantinedRow {
  std::string step;
  std::string key;
  std::string sqlstate;
  std::string message;
  std::string at;
};

/// One line of a job's event log.
struct LogEntry {
  std::string at;      // RFC 3339, milliseconds, UTC
  std::string run_id;  // empty: an operator's command outside a run
  std::string type;
  std::string fields;  // JSON object
};

}  // namespace pgsluice
