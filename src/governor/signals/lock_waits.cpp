#include "governor/signals/lock_waits.hpp"

#include <algorithm>
#include <set>
#include <string_view>

namespace pgsluice::governor {
namespace {

// "pid 4711 (psql, ALTER TABLE users)"
std::string waiter_in_words(const WaiterReading& waiter) {
  const std::string command = command_of(waiter.query);
  const std::string comma = waiter.application_name.empty() || command.empty() ? "" : ", ";
  const std::string who = waiter.application_name + comma + command;
  return "pid " + std::to_string(waiter.pid) + (who.empty() ? "" : " (" + who + ")");
}

std::set<int> lanes_blocking(const WaiterReading& waiter, const std::map<int, int>& lane_of_pid) {
  std::set<int> lanes;
  if (lane_of_pid.count(waiter.pid) > 0) return lanes;
  for (const int pid : waiter.blockers) {
    if (const auto found = lane_of_pid.find(pid); found != lane_of_pid.end()) lanes.insert(found->second);
  }
  return lanes;
}

// Each lane once, with the session that has waited longest.
void add_to_cancel(std::map<int, LaneInTheWay>& to_cancel, const std::set<int>& lanes,
                   const WaiterReading& waiter) {
  for (const int lane : lanes) {
    LaneInTheWay& entry = to_cancel[lane];
    if (!entry.reason.empty() && entry.waited_s >= waiter.waited_s) continue;
    entry = {lane, waiter.waited_s,
             waiter_in_words(waiter) + " has waited " + quantity_text(waiter.waited_s, "s") + " for lane " +
                 std::to_string(lane)};
  }
}

}  // namespace

std::string command_of(std::string_view query) {
  constexpr int kWordsMax = 3;
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.";
  constexpr std::string_view kSpace = " \t\r\n";
  std::string words;
  for (int i = 0; i < kWordsMax; ++i) {
    query.remove_prefix(std::min(query.find_first_not_of(kSpace), query.size()));
    const std::string_view word = query.substr(0, query.find_first_of(kSpace));
    const bool starts_as_name = !word.empty() && (word[0] < '0' || word[0] > '9');
    if (!starts_as_name || word.find_first_not_of(kPlain) != std::string_view::npos) break;
    words += (words.empty() ? "" : " ") + std::string(word);
    query.remove_prefix(word.size());
  }
  return words;
}

LockWaits judge_lock_waits(const std::vector<WaiterReading>& waiters, const std::map<int, int>& lane_of_pid,
                           const ThrottleLimits& limits, TimePoint taken_at) {
  LockWaits result;
  Sample& sample = result.sample;
  sample.name = "lock_wait";
  sample.unit = "s";
  sample.limit = std::chrono::duration<double>(limits.lock_wait).count();
  sample.taken_at = taken_at;

  std::map<int, LaneInTheWay> to_cancel;
  for (const WaiterReading& waiter : waiters) {
    const std::set<int> lanes = lanes_blocking(waiter, lane_of_pid);
    if (lanes.empty()) continue;
    if (sample.reason.empty() || waiter.waited_s > sample.value) {
      sample.value = waiter.waited_s;
      sample.reason =
          "while " + waiter_in_words(waiter) + " waits for lane " + std::to_string(*lanes.begin());
    }
    if (waiter.waits_for_table || waiter.waited_s > sample.limit) add_to_cancel(to_cancel, lanes, waiter);
  }
  for (auto& [lane, entry] : to_cancel) result.to_cancel.push_back(std::move(entry));
  return result;
}

}  // namespace pgsluice::governor
