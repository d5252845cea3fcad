#include "governor/pace.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace pgsluice::governor {
namespace {

// Samples by weight, the worst first; equals stay in the order given.
std::vector<Sample> worst_first(std::vector<Sample> samples, TimePoint now) {
  std::stable_sort(samples.begin(), samples.end(),
                   [now](const Sample& a, const Sample& b) { return load_of(a, now) > load_of(b, now); });
  return samples;
}

bool only_slows(const Sample& sample) {
  return sample.pace_least > 0;
}

// The pace that the slow-only signals allow: down at once to the lowest they ask for, then slowly up again.
double beside_others(const std::vector<Sample>& gentle, const PaceState& previous, TimePoint now) {
  double pace = 1;
  for (const Sample& sample : gentle) {
    const double load = load_of(sample, now);
    double its = previous.beside_others;
    if (load > kFallsAbove) its = sample.pace_least;
    if (load < kRisesBelow) its *= kRiseBesideOthers;
    pace = std::min(pace, std::clamp(its, sample.pace_least, 1.0));
  }
  return pace;
}

// The next pace when every signal is known; `load` is the worst one's.
double pace_under(double load, const PaceState& previous) {
  if (load >= kHoldsFrom) return 0;
  if (load > kFallsAbove) {
    if (!previous.has_started) return 0;  // we did not cause it: let it pass first
    const double half = previous.pace / 2;
    return half < kPaceMin ? 0 : half;
  }
  if (!previous.has_started) return 1;
  if (previous.pace <= 0) return std::clamp(previous.caution, kPaceMin, kRise);
  if (load >= kRisesBelow) return previous.pace;
  if (previous.pace < previous.caution) return std::min(previous.pace + kRise, previous.caution);
  return std::min(previous.pace * kRiseCarefully, 1.0);
}

PaceState next_state(double load, const PaceState& previous, TimePoint now) {
  // Two calls within most of a poll judge the same samples, or new ones of what is answered by room.
  const bool is_extra_call = previous.moved_at && now - *previous.moved_at < kPoll * 4 / 5;
  if (is_extra_call && load < kHoldsFrom) return previous;

  PaceState next = previous;
  next.moved_at = now;
  if (std::isinf(load)) {
    next.pace = 0;
    return next;
  }
  next.pace = pace_under(load, previous);
  next.has_started = true;
  if (load <= kFallsAbove) {
    next.too_much.reset();
  } else if (previous.too_much) {
    next.caution = kCaution * *previous.too_much;  // not just one lock wait that a cancel has ended
  } else if (previous.has_started && previous.pace > 0) {
    next.too_much = previous.pace;
  }
  return next;
}

// `samples` are sorted, the worst first. Two samples may read the same (a replica that is gone has no lag of
// either kind).
std::string over_limit_in_words(const std::vector<Sample>& samples, TimePoint now) {
  std::vector<std::string> said;
  std::string reason;
  for (const Sample& sample : samples) {
    const std::string words = in_words(sample, now);
    if (load_of(sample, now) <= kFallsAbove || std::find(said.begin(), said.end(), words) != said.end())
      continue;
    reason += (reason.empty() ? "" : "; ") + words;
    said.push_back(words);
  }
  return reason;
}

// REQUIRES: one that has room.
const Sample& least_room(const std::vector<Sample>& samples) {
  const auto room = [](const Sample& s) {
    return s.room_bytes.value_or(std::numeric_limits<double>::infinity());
  };
  return *std::min_element(samples.begin(), samples.end(),
                           [room](const Sample& a, const Sample& b) { return room(a) < room(b); });
}

std::string reason_of(const std::vector<Sample>& samples, const Decision& decision, TimePoint now) {
  if (decision.pace >= 1 && !decision.next.is_short_of_room) return {};
  if (samples.empty()) return "no signal has been read yet";
  std::string reason = over_limit_in_words(samples, now);
  if (!reason.empty()) return reason;
  if (decision.next.is_short_of_room) return in_words(least_room(samples), now);
  if (load_of(samples.front(), now) >= kRisesBelow) return in_words(samples.front(), now);
  return "speeding up again, " + in_words(samples.front(), now);
}

Flow flow_of(const Decision& decision) {
  if (decision.pace <= 0) return Flow::kHold;
  return decision.speed < 1 ? Flow::kSlow : Flow::kGo;
}

void note_room(const std::vector<Sample>& holding, double waited, Decision& decision) {
  auto& next = decision.next;
  next.waited += kShortOfRoomNew * (std::clamp(waited, 0.0, 1.0) - next.waited);
  next.is_short_of_room = next.waited > (next.is_short_of_room ? kShortOfRoomTo : kShortOfRoomFrom);
  for (const Sample& sample : holding) {
    if (!sample.room_bytes) continue;
    decision.room_bytes = std::min(*sample.room_bytes, decision.room_bytes.value_or(*sample.room_bytes));
  }
  if (!decision.room_bytes) next.is_short_of_room = false;
}

// Of the samples that a pace answers; what our WAL moves is answered by room.
double load_to_pace(const std::vector<Sample>& holding, TimePoint now) {
  if (holding.empty()) return std::numeric_limits<double>::infinity();
  for (const Sample& sample : holding) {
    if (!sample.is_moved_by_wal) return load_of(sample, now);
  }
  return 0;
}

bool is_at_a_limit_of_wal(const std::vector<Sample>& holding, const Decision& decision, TimePoint now) {
  const bool is_without_room = decision.room_bytes && *decision.room_bytes <= 0;
  if (is_without_room && decision.next.waited >= kHoldsForRoomFrom) return true;
  return std::any_of(holding.begin(), holding.end(), [now](const Sample& sample) {
    return sample.is_moved_by_wal && load_of(sample, now) > kFallsAbove;
  });
}

}  // namespace

const char* flow_text(Flow flow) {
  switch (flow) {
    case Flow::kGo:
      return "go";
    case Flow::kSlow:
      return "slow";
    case Flow::kHold:
      return "hold";
  }
  return "hold";
}

Decision decide(const std::vector<Sample>& samples, const PaceState& previous, TimePoint now, double waited) {
  std::vector<Sample> gentle, told;
  for (const Sample& sample : samples) (only_slows(sample) ? gentle : told).push_back(sample);
  told = worst_first(std::move(told), now);
  const double load = told.empty() ? std::numeric_limits<double>::infinity() : load_of(told.front(), now);

  Decision decision;
  decision.next = next_state(load_to_pace(told, now), previous, now);
  if (decision.next.moved_at != previous.moved_at)
    decision.next.beside_others = beside_others(gentle, previous, now);
  decision.is_beside_others = decision.next.beside_others < 1;
  note_room(told, waited, decision);
  decision.pace = is_at_a_limit_of_wal(told, decision, now)
                      ? 0
                      : std::min(decision.next.pace, decision.next.beside_others);
  decision.speed = decision.pace * (decision.next.is_short_of_room ? 1 - decision.next.waited : 1);
  decision.flow = flow_of(decision);
  if (!told.empty()) decision.worst = told.front();
  // A signal that can hold outweighs one that only slows.
  const bool is_gentle_first = load <= kFallsAbove && decision.is_beside_others;
  told.insert(is_gentle_first ? told.begin() : told.end(), gentle.begin(), gentle.end());
  decision.reason = reason_of(told, decision, now);
  if (decision.flow == Flow::kHold) {
    decision.next.held_since = previous.held_since.value_or(now);
    decision.held_s = seconds_between(*decision.next.held_since, now);
  } else {
    decision.next.held_since.reset();
  }
  return decision;
}

std::chrono::milliseconds delay_after(std::chrono::milliseconds batch_time, double pace) {
  if (pace >= 1) return std::chrono::milliseconds{0};
  if (pace <= 0) return kDelayMax;
  const double delay = static_cast<double>(batch_time.count()) * (1 / pace - 1);
  const double most = static_cast<double>(kDelayMax.count());
  return std::chrono::milliseconds{std::llround(std::clamp(delay, 0.0, most))};
}

}  // namespace pgsluice::governor
