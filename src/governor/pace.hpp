#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "governor/polling.hpp"
#include "governor/signal.hpp"

namespace pgsluice::governor {

// Where a sample stands, as value / limit.
inline constexpr double kRisesBelow = 0.5;  // below half of the limit there is room: the pace rises
inline constexpr double kFallsAbove = 1.0;  // above the limit the pace halves with every poll
inline constexpr double kHoldsFrom = 2.0;   // at twice the limit the lanes hold at once

/// Pace won back with each poll: 2.5 s from a hold to full pace, ten times as long as it takes to lose it.
inline constexpr double kRise = 0.1;
/// A pace that kept a signal over its limit for two polls was too much. Up to this part of it the pace rises
/// as ever, and above it by a hundredth a poll (9 s for the rest). Without that the lanes would swing between
/// full pace and hold: in simulation, twice the overshoot and three times as much time held.
inline constexpr double kCaution = 0.7;
inline constexpr double kRiseCarefully = 1.01;
/// Below this the lanes hold: four halvings (one second over the limit), and from there on a trickle would
/// only keep the signal up.
inline constexpr double kPaceMin = 0.05;
/// No wait between two batches is longer, so that a lane notices within 5 s that there is room again.
inline constexpr std::chrono::milliseconds kDelayMax{5'000};

/// What a signal that only slows gives back with each poll after it has slowed: 18 s from 0.5 to full pace.
/// It is found out what others bear, in steps that are too small for them to notice.
inline constexpr double kRiseBesideOthers = 1.01;

enum class Flow {
  kGo,    // full pace
  kSlow,  // between two batches a lane waits delay_after()
  kHold,  // no new batch
};

/// "go", "slow" or "hold".
const char* flow_text(Flow flow);

/// What decide() carries from one decision to the next. A run starts with the default.
struct PaceState {
  double pace = 1;                      // 0 to 1; a run starts at full pace if nothing speaks against it
  double caution = 1;                   // above it the pace rises carefully
  double beside_others = 1;             // what the signals that only slow leave of it
  bool has_started = false;             // some decision has seen every signal
  std::optional<double> too_much;       // the pace at which a signal went over its limit, while it is over
  std::optional<TimePoint> moved_at;    // the pace was last judged
  std::optional<TimePoint> held_since;  // the hold began; nothing when not holding
};

/// How fast the lanes may go, and why. A value.
struct Decision {
  Flow flow = Flow::kHold;
  double pace = 0;                // 0 to 1
  std::string reason;             // empty at full pace; else every sample that slows, worst first
  std::optional<Sample> worst;    // the sample that weighs most; nothing without samples
  double held_s = 0;              // held without a break
  bool is_beside_others = false;  // a signal that only slows does: small batches and short pauses
  PaceState next;
};

/// Decides from all samples; the worst one counts. No samples: hold, for nothing has been looked at yet. To
/// be called once a poll, whether or not new samples came; calls in between change nothing but notice a stale
/// sample.
Decision decide(const std::vector<Sample>& samples, const PaceState& previous, TimePoint now);

/// What a lane waits after a batch that took `batch_time`, so that it works for the share `pace` of the time:
/// at most kDelayMax, nothing at full pace. kDelayMax at pace 0, where the caller holds anyway.
std::chrono::milliseconds delay_after(std::chrono::milliseconds batch_time, double pace);

}  // namespace pgsluice::governor
