#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "pgsluice/progress.hpp"

namespace pgsluice {

/// What happened, as it travels from the engine to the reporter and, except for Batch, Lease and Status, into
/// the job's event log. Values only. Field names are those of the JSON lines (docs/operations.md); `_s` means
/// seconds. A RowCounts becomes rows_changed, rows_already_right, rows_quarantined and rows_unchanged;
/// unknown values (0 expected rows, lag -1) are null.
namespace event {

/// The run is in the ledger: the first event of every run that got that far.
struct RunStarted {
  std::string version;  // of the program
  std::string host;     // with `pid`: the process, as `status` shows it
  int pid = 0;
  bool resumed = false;  // an earlier run has begun with a step of the job
  int lanes = 0;         // as the job file has them; `set` may change that
};
/// A step, or an act of a retype, is in work.
struct StepStarted {
  std::string step;  // an act's is "STEP: what it does"
  std::string kind;  // "sql", "index", "backfill", "verify", "retype"; of an act also "vacuum" and "fence"
  bool resumed = false;
  std::int64_t rows_expected = 0;  // an estimate; 0: none, or not of rows
};
/// outcome: "done", or how else it ended; the live view shows 100 % only for "done".
struct StepEnded {
  std::string step;
  std::string kind;
  std::string outcome;
  RowCounts rows;         // of the whole step, earlier and other runs included
  double duration_s = 0;  // in this run
};
/// A statement that is not part of a batch, just before it runs.
struct Statement {
  std::string step;
  std::string sql;   // as it is sent: the job file's own, so it may hold what the file holds
  std::string lock;  // the strongest that it takes, in words
};
/// A committed batch. Always published, but shown only with ReportOptions::log_batches.
struct Batch {
  std::int64_t range_id = 0;
  int lane = 0;                   // from 1
  std::int64_t rows_changed = 0;  // as the server counted them
  std::int64_t rows_visited = 0;  // with those that needed no change
  double duration_s = 0;          // from BEGIN to the answer of COMMIT
  int attempt = 1;                // that committed
  std::int64_t rows_hot = -1;     // of the changed rows, those that wrote no index; -1: not known
  std::int64_t wal_bytes = -1;    // of its UPDATE; -1: not known: measured only for a few batches over blocks
};
/// A batch that was rolled back, or a statement of a step without batches: then range and lane are 0.
struct BatchFailed {
  std::int64_t range_id = 0;
  int lane = 0;
  std::string sqlstate;  // the server's; empty: none came
  std::string message;   // the server's, with who holds the lock where that is why
  int attempt = 1;       // that failed
  std::string action;    // "retry", "shrink", "bisect", "set apart", "later", "quarantine", "release", "fail"
  double backoff_s = 0;  // until the next attempt
};
/// From now on range range_id ends at `at` (a key, as text); the rest is range new_range_id.
struct Split {
  std::int64_t range_id = 0;
  std::int64_t new_range_id = 0;
  std::string at;
};
/// taken_over: it belonged to a run that is gone.
struct Lease {
  std::int64_t range_id = 0;
  int lane = 0;
  std::int64_t epoch = 0;  // of the range: with it an older lease is fenced off
  bool taken_over = false;
};
/// state: "slow", "hold" or "go". value and limit in `unit` ("s", "bytes"); pace 0 to 1; held_s at "go" only.
struct Throttle {
  std::string state;
  std::string signal;  // that weighs most, as in Progress::signals
  double value = 0;
  double limit = 0;
  std::string unit;
  double pace = 1;
  std::string reason;  // in words: all signals that slow, worst first
  double held_s = 0;
};
/// A setting that pgsluice changed by itself.
struct Tune {
  std::string field;  // "batch.rows", "walk", or a tunable that an operator has set
  std::string from;
  std::string to;
  std::string cause;  // in words
};
/// A setting or state that an operator changed.
struct Command {
  std::string actor;      // "user@host"
  std::string verb;       // "pause", "resume", "cancel", "set", "resolve"
  std::string arguments;  // as on the command line
  std::string reason;
};
/// The job went from one state to another.
struct State {
  std::string from;
  std::string to;
  std::string reason;
};
/// What a proof has come to: of a verify step, or of a question that `pgsluice verify` asks.
struct Verify {
  std::string step;
  std::string expected;
  std::string actual;
  bool matches = false;
};
/// A command of the job file, `before` or `after`, has ended.
struct Hook {
  std::string hook;     // "before" or "after"
  std::string command;  // as the job file has it, without passwords
  int exit_code = -1;   // -1: it was ended, or could not be started
  std::string ended;    // why it was ended, in words; empty: it ended by itself
  double duration_s = 0;
  std::string output;  // the last 4 kB of both outputs, without passwords and control characters
};
/// Something to look at that ends nothing.
struct Warning {
  std::string message;
  std::string hint;
};
/// Published several times a second; each style shows it as often as suits it.
struct Status {
  Progress progress;
};
/// The last event of a run. The reporter adds what it dropped to events_dropped.
struct Summary {
  std::string outcome;  // "done", "failed", "work left", "paused", "cancelled", "refused", …
  int exit_code = 0;
  std::string reason;  // why it ended, in words; empty: it is done
  std::string hint;    // what to do about it
  RowCounts rows;      // of all steps, earlier and other runs included
  // Of this run alone:
  std::int64_t batches = 0;  // committed
  std::int64_t retries = 0;  // attempts that failed and were made again
  std::int64_t splits = 0;   // of ranges, for lanes that had none
  double duration_s = 0;
  double held_s = 0;       // without a break or with: in all
  double batch_p50_s = 0;  // percentiles are wrong by 2 % at most
  double batch_p95_s = 0;
  double batch_p99_s = 0;
  double batch_max_s = 0;
  double lag_max_s = -1;          // highest replica lag seen; -1: no replica
  double hot_percent = -1;        // of the updates in batches that report it; -1: none did
  double wal_bytes_per_row = -1;  // of the UPDATEs that were measured; -1: none was
  double rows_per_second = 0;
  std::int64_t events_dropped = 0;
  std::string next;  // command line to continue
};

}  // namespace event

/// One of the above; event_type() names it.
using EventBody =
    std::variant<event::RunStarted, event::StepStarted, event::StepEnded, event::Statement, event::Batch,
                 event::BatchFailed, event::Split, event::Lease, event::Throttle, event::Tune, event::Command,
                 event::State, event::Verify, event::Hook, event::Warning, event::Status, event::Summary>;

/// What happened, when, and to which run. A value.
struct Event {
  std::chrono::system_clock::time_point at = std::chrono::system_clock::now();
  std::string job;
  std::string run_id;  // UUID; empty outside a run
  EventBody body;
};

/// Snake-case type name of the JSON line: "run_started", "batch", "summary", …
const char* event_type(const EventBody& body);

/// Takes events. Events of one thread stay in order. Implementations are thread-safe and never block the
/// caller; a full sink drops and counts Batch and Status events; all others are kept.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void publish(Event event) = 0;
};

}  // namespace pgsluice
