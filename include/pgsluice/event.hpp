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

struct RunStarted {
  std::string version;
  std::string host;
  int pid = 0;
  bool resumed = false;
  int lanes = 0;
};
struct StepStarted {
  std::string step;
  std::string kind;
  bool resumed = false;
  std::int64_t rows_expected = 0;
};
/// outcome: "done", or how else it ended; the live view shows 100 % only for "done".
struct StepEnded {
  std::string step;
  std::string kind;
  std::string outcome;
  RowCounts rows;
  double duration_s = 0;
};
/// A statement that is not part of a batch, just before it runs.
struct Statement {
  std::string step;
  std::string sql;
  std::string lock;
};
/// A committed batch. Always published, but shown only with ReportOptions::log_batches.
struct Batch {
  std::int64_t range_id = 0;
  int lane = 0;
  std::int64_t rows_changed = 0;
  std::int64_t rows_visited = 0;
  double duration_s = 0;
  int attempt = 1;
  std::int64_t rows_hot = -1;   // of the changed rows, those that wrote no index; -1: not known
  std::int64_t wal_bytes = -1;  // of its UPDATE; -1: not known: measured only for a few batches over blocks
};
struct BatchFailed {
  std::int64_t range_id = 0;
  int lane = 0;
  std::string sqlstate;
  std::string message;
  int attempt = 1;
  std::string action;  // "retry", "shrink", "bisect", "set apart", "later", "quarantine", "release", "fail"
  double backoff_s = 0;
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
  std::int64_t epoch = 0;
  bool taken_over = false;
};
/// state: "slow", "hold" or "go". value and limit in `unit` ("s", "bytes"); pace 0 to 1; held_s at "go" only.
struct Throttle {
  std::string state;
  std::string signal;
  double value = 0;
  double limit = 0;
  std::string unit;
  double pace = 1;
  std::string reason;
  double held_s = 0;
};
/// A setting that pgsluice changed by itself.
struct Tune {
  std::string field;
  std::string from;
  std::string to;
  std::string cause;
};
/// A setting or state that an operator changed.
struct Command {
  std::string actor;
  std::string verb;
  std::string arguments;
  std::string reason;
};
/// The job went from one state to another.
struct State {
  std::string from;
  std::string to;
  std::string reason;
};
struct Verify {
  std::string step;
  std::string expected;
  std::string actual;
  bool matches = false;
};
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
  std::string reason;
  std::string hint;
  RowCounts rows;
  std::int64_t batches = 0;
  std::int64_t retries = 0;
  std::int64_t splits = 0;
  double duration_s = 0;
  double held_s = 0;
  double batch_p50_s = 0;
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

using EventBody =
    std::variant<event::RunStarted, event::StepStarted, event::StepEnded, event::Statement, event::Batch,
                 event::BatchFailed, event::Split, event::Lease, event::Throttle, event::Tune, event::Command,
                 event::State, event::Verify, event::Warning, event::Status, event::Summary>;

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
