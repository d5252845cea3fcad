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
  // Two calls within half a poll judge the same samples.
  const bool is_extra_call = previous.moved_at && now - *previous.moved_at < kPoll / 2;
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

std::string reason_of(const std::vector<Sample>& samples, double pace, TimePoint now) {
  if (pace >= 1) return {};
  if (samples.empty()) return "no signal has been read yet";
  std::string reason = over_limit_in_words(samples, now);
  if (!reason.empty()) return reason;
  if (load_of(samples.front(), now) >= kRisesBelow) return in_words(samples.front(), now);
  return "speeding up again, " + in_words(samples.front(), now);
}

Flow flow_of(double pace) {
  if (pace <= 0) return Flow::kHold;
  return pace < 1 ? Flow::kSlow : Flow::kGo;
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

Decision decide(const std::vector<Sample>& samples, const PaceState& previous, TimePoint now) {
  std::vector<Sample> gentle, sorted;
  for (const Sample& sample : samples) (only_slows(sample) ? gentle : sorted).push_back(sample);
  sorted = worst_first(std::move(sorted), now);
  const double load = sorted.empty() ? std::numeric_limits<double>::infinity() : load_of(sorted.front(), now);

  Decision decision;
  decision.next = next_state(load, previous, now);
  if (decision.next.moved_at != previous.moved_at)
    decision.next.beside_others = beside_others(gentle, previous, now);
  decision.is_beside_others = decision.next.beside_others < 1;
  decision.pace = std::min(decision.next.pace, decision.next.beside_others);
  decision.flow = flow_of(decision.pace);
  // A signal that can hold outweighs one that only slows.
  const bool is_gentle_first = load <= kFallsAbove && decision.is_beside_others;
  sorted.insert(is_gentle_first ? sorted.begin() : sorted.end(), gentle.begin(), gentle.end());
  decision.reason = reason_of(sorted, decision.pace, now);
  if (!sorted.empty()) decision.worst = sorted.front();
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
