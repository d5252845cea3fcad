#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "governor/signal.hpp"
#include "pgsluice/job.hpp"

namespace pgsluice::governor {

/// A session that waits on a lock, with what pg_blocking_pids reports for it.
struct WaiterReading {
  int pid = 0;
  double waited_s = 0;           // on this lock
  bool waits_for_table = false;  // for the table itself (DDL, LOCK TABLE), not for one of its rows
  std::vector<int> blockers;     // backend pids; may repeat, and 0 is a prepared transaction
  std::string application_name;
  std::string query;  // never printed in full: it may contain data
};

/// A lane whose batch has to be cancelled, and for which session.
struct LaneInTheWay {
  int lane = 0;
  double waited_s = 0;
  std::string reason;  // "pid 4711 (psql, ALTER TABLE users) has waited 0.3 s for lane 2"
};

/// The first words of a statement, up to the first that is neither keyword nor plain name: "ALTER TABLE
/// users". Literals are left out, so no data of the application ends up in a log. Pure.
std::string command_of(std::string_view query);

/// What follows from the lock waits that we cause.
struct LockWaits {
  Sample sample;                        // lock_wait: the longest wait, zero if no session waits for us
  std::vector<LaneInTheWay> to_cancel;  // each lane once, by lane
};

/// Finds the sessions that wait for our lanes. `lane_of_pid` names the backends that run our batches; behind
/// a pooler it is empty, and nothing counts as ours (the batch's own timeouts bound the wait there). Only
/// direct blockers count, and our own lanes are not waiters. A lane is to be cancelled once a session has
/// waited for it longer than throttle.lock_wait, and at once if the session waits for the table: everybody
/// else queues behind that. Whether its batch is worth a cancel (Sizer::may_be_cancelled) is for the caller
/// to ask. Pure.
LockWaits judge_lock_waits(const std::vector<WaiterReading>& waiters, const std::map<int, int>& lane_of_pid,
                           const ThrottleLimits& limits, TimePoint taken_at);

}  // namespace pgsluice::governor
