#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pgsluice/state.hpp"

namespace pgsluice {

/// Actual row counts, never batch sizes (P5).
struct RowCounts {
  std::int64_t changed = 0;
  std::int64_t already_right = 0;  // visited, but outside the step's `where`
  std::int64_t quarantined = 0;
  std::int64_t unchanged = 0;  // selected, but a trigger or rule left them unchanged

  std::int64_t visited() const { return changed + already_right + quarantined + unchanged; }
};

/// One signal, as shown on the screen.
struct SignalView {
  std::string name;  // "replica_lag", "replica_lag_bytes", "lock_wait", "slowdown"
  double value = 0;  // in `unit`
  double limit = 0;
  std::string unit;    // "s", "bytes"
  bool known = true;   // false: value is meaningless, and the governor holds
  std::string reason;  // in words, if it slows or holds
};

/// How far a copy that follows its source is behind it.
struct Behind {
  std::int64_t entries = 0;  // of its queue that are not applied, at most
  double age_s = -1;         // everything committed before that long ago is at the target; -1: not known yet
};

/// A run's progress at one moment. A value: copied freely, owned by its holder.
struct Progress {
  std::string job;
  std::string step;
  std::string step_kind;
  int step_number = 0;  // from 1
  int step_count = 0;
  RunState state = RunState::kStarting;
  RowCounts rows;
  std::int64_t rows_expected = 0;           // an estimate from the catalog; 0: unknown
  double rows_per_second = 0;               // over the last seconds of work
  std::int64_t batch_rows = 0;              // size of the next batch
  std::chrono::milliseconds batch_time{0};  // median of the recent batches
  int lanes = 0;                            // wanted
  int lanes_busy = 0;
  int ranges_left = 0;
  double pace = 1;          // 0 to 1
  std::string hold_reason;  // empty unless slowed or held
  std::vector<SignalView> signals;
  std::optional<std::chrono::seconds> eta;  // of the step; empty: not known yet
  std::optional<Behind> behind{};           // of a copy that follows its source
  std::chrono::milliseconds elapsed{0};     // of this run
};

}  // namespace pgsluice
