#include "governor/signals/replica_lag.hpp"

#include <algorithm>

namespace pgsluice::governor {
namespace {

bool is_replica_like(const ReplicaReading& reading) {
  return !reading.is_logical && !reading.is_backup && reading.state != "backup";
}

bool is_ignored(const ThrottleLimits& limits, const std::string& application_name) {
  return std::find(limits.ignore.begin(), limits.ignore.end(), application_name) != limits.ignore.end();
}

Sample sample_of(std::string name, double limit, std::string unit, TimePoint taken_at) {
  Sample sample;
  sample.name = std::move(name);
  sample.limit = limit;
  sample.unit = std::move(unit);
  sample.taken_at = taken_at;
  sample.is_moved_by_wal = true;
  return sample;
}

void make_unknown(Sample& sample, const std::string& reason) {
  sample.known = false;
  sample.reason = reason;
}

// Puts the reading into each sample that it makes worse. Unknown is worst of all.
void take_worse(Sample& time, Sample& bytes, const ReplicaReading& reading, const LsnClock& clock) {
  const std::string where = "on " + reading.application_name;
  const auto behind = static_cast<double>(clock.bytes_behind(*reading.replay));
  if (bytes.reason.empty() || behind > bytes.value) {
    bytes.value = behind;
    bytes.reason = where;
  }
  if (!time.known) return;
  const LagTime lag = clock.lag_of(*reading.replay, time.taken_at);
  if (!lag.seconds) {
    make_unknown(time, "replica_lag of " + reading.application_name + " is unknown: " + lag.reason);
  } else if (time.reason.empty() || *lag.seconds > time.value) {
    time.value = *lag.seconds;
    time.reason = where;
  }
}

}  // namespace

std::vector<Sample> ReplicaLag::observe(const std::vector<ReplicaReading>& readings, const LsnClock& clock,
                                        const ThrottleLimits& limits, TimePoint taken_at) {
  count(readings, taken_at);
  if (!has_replica(limits)) return {};

  const double limit_s = std::chrono::duration<double>(limits.replica_lag).count();
  Sample time = sample_of("replica_lag", limit_s, "s", taken_at);
  Sample bytes =
      sample_of("replica_lag_bytes", static_cast<double>(limits.replica_lag_bytes), "bytes", taken_at);
  for (const ReplicaReading& reading : readings) {
    if (!is_replica_like(reading) || !reading.replay || is_ignored(limits, reading.application_name))
      continue;
    take_worse(time, bytes, reading, clock);
  }
  find_room(time, bytes, clock, limits);
  const std::string missing = missing_in_words(limits, taken_at);
  if (!missing.empty()) {
    make_unknown(time, missing);
    make_unknown(bytes, missing);
  }
  return {time, bytes};
}

void ReplicaLag::find_room(Sample& time, Sample& bytes, const LsnClock& clock, const ThrottleLimits& limits) {
  const auto keep_least = [](Sample& sample, double room) {
    sample.room_bytes = std::min(room, sample.room_bytes.value_or(room));
  };
  for (auto& [identity, seen] : seen_) {
    if (seen.latest.replicas == 0) continue;
    const auto to_come = static_cast<double>(clock.bytes_to_come(seen.latest.slowest));
    const auto behind = static_cast<double>(clock.bytes_behind(seen.latest.slowest));
    seen.window.observe(time.taken_at, seen.latest.slowest, behind, time.limit);
    if (is_ignored(limits, identity.first)) continue;
    keep_least(bytes, bytes.limit - to_come);
    keep_least(time, seen.window.bytes() - to_come);
  }
}

// Ignored replicas are counted too: `ignore` is a tunable and may change during the run.
void ReplicaLag::count(const std::vector<ReplicaReading>& readings, TimePoint taken_at) {
  std::map<Identity, Present> groups;
  for (const ReplicaReading& reading : readings) {
    if (!is_replica_like(reading)) continue;
    Present& group = groups[{reading.application_name, reading.client_addr}];
    if (!reading.replay) {
      ++group.silent;
      continue;
    }
    group.slowest = group.replicas == 0 ? *reading.replay : std::min(group.slowest, *reading.replay);
    ++group.replicas;
  }
  for (auto& [identity, seen] : seen_) groups.try_emplace(identity);
  for (const auto& [identity, group] : groups) {
    const bool is_replica = group.replicas > 0 || seen_.count(identity) > 0;
    if (is_replica) note(seen_[identity], group, taken_at);
  }
  for (auto& [identity, seen] : seen_) let_stand_in(identity.first, seen);
  std::erase_if(seen_, [](const auto& entry) { return entry.second.expected == 0; });
}

void ReplicaLag::note(Seen& seen, const Present& group, TimePoint taken_at) {
  seen.latest = group;
  if (group.replicas > seen.expected) {
    seen.newcomers = group.replicas - seen.expected;
    seen.joined_at = taken_at;
    if (seen.expected == 0) seen.advanced_at = taken_at;
    seen.expected = group.replicas;
  } else if (group.replicas == seen.expected && group.slowest > seen.slowest) {
    seen.advanced_at = taken_at;
  }
  if (group.replicas < seen.expected) return;
  seen.slowest = group.slowest;
  seen.complete_at = taken_at;
}

void ReplicaLag::let_stand_in(const std::string& application_name, Seen& gone) {
  for (auto& [identity, seen] : seen_) {
    if (identity.first != application_name || seen.joined_at <= gone.advanced_at) continue;
    const int moved =
        std::clamp(gone.expected - gone.latest.replicas - gone.latest.silent, 0, seen.newcomers);
    gone.expected -= moved;
    seen.newcomers -= moved;
  }
}

bool ReplicaLag::has_replica(const ThrottleLimits& limits) const {
  return std::any_of(seen_.begin(), seen_.end(), [&limits](const auto& entry) {
    return entry.second.expected > 0 && !is_ignored(limits, entry.first.first);
  });
}

std::string ReplicaLag::missing_in_words(const ThrottleLimits& limits, TimePoint now) const {
  std::string words;
  for (const auto& [identity, seen] : seen_) {
    const int missing = seen.expected - seen.latest.replicas;
    if (missing <= 0 || is_ignored(limits, identity.first)) continue;
    const std::string since = " since " + quantity_text(seconds_between(seen.complete_at, now), "s");
    const std::string who = seen.expected == 1
                                ? "replica " + identity.first
                                : std::to_string(missing) + " of " + std::to_string(seen.expected) +
                                      " replicas named " + identity.first;
    const bool is_silent = seen.latest.silent >= missing;
    words +=
        (words.empty() ? "" : "; ") + who + (is_silent ? " shows no replay position" : " is gone") + since;
  }
  return words;
}

}  // namespace pgsluice::governor
