#include "lanes/throttle/readings/lock_wait_reader.hpp"

#include "pg/activity/activity.hpp"

namespace pgsluice::engine {
namespace {

governor::WaiterReading reading_of(const pg::Waiter& w) {
  return {w.pid, w.waited_s, w.waits_for_table, w.blockers, w.application_name, w.query};
}

}  // namespace

SignalReader::Judge LockWaitReader::read(pg::Session& session) {
  return [found = pg::read_waiters(session, prefix_)](const JudgedBy& by, Judged& judged) {
    std::vector<governor::WaiterReading> waiters;
    for (const auto& w : found) waiters.push_back(reading_of(w));
    auto waits = governor::judge_lock_waits(waiters, by.lane_of_pid, by.limits, by.taken_at);
    judged.samples.push_back(std::move(waits.sample));
    judged.to_cancel = std::move(waits.to_cancel);
  };
}

}  // namespace pgsluice::engine
