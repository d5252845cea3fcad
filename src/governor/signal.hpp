#pragma once

#include <optional>
#include <string>

#include "governor/polling.hpp"
#include "pgsluice/progress.hpp"

namespace pgsluice::governor {

/// One reading of one signal. A value.
struct Sample {
  std::string name;        // "replica_lag", "replica_lag_bytes", "lock_wait", "commit_wait", "slowdown"
  double value = 0;        // in `unit`; means nothing unless known
  double limit = 0;        // in `unit`, above zero
  std::string unit;        // "s", "bytes" or "%"
  bool known = true;       // false: it could not be read, so the lanes hold
  TimePoint taken_at;      // when we read it, by our clock
  std::string reason;      // known: where the value comes from ("on replica1"); unknown: the whole reason
  double pace_least = 0;   // above 0: a slow-only signal, never below this pace, even if unknown
  std::string sentence{};  // the full text, instead of name, value and limit; empty: use these
  bool is_moved_by_wal = false;  // what we write moves it: the lanes go while there is room below the limit
  std::optional<double> room_bytes{};  // of WAL, until it reaches the limit; nullopt: not known
};

/// Recent enough to decide on: at most kSampleAgeMax old.
bool is_fresh(const Sample& sample, TimePoint now);

/// value / limit: 1 is at the limit. Infinite when the sample is unknown or stale.
double load_of(const Sample& sample, TimePoint now);

/// The sample in words, for the screen and the event log: "replica_lag 2.4 s over 2 s on replica1", "no fresh
/// sample of replica_lag for 0.9 s".
std::string in_words(const Sample& sample, TimePoint now);

/// "2.4 s", "0.25 s", "64.0 MB".
std::string quantity_text(double value, const std::string& unit);

/// As the live view shows it; the reason only when the sample is over its limit, unknown or stale.
SignalView view_of(const Sample& sample, TimePoint now);

}  // namespace pgsluice::governor
