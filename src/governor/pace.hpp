#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "governor/polling.hpp"
#include "governor/signal.hpp"

namespace pgsluice::governor {

// Thresholds for a sample's value / limit.
inline constexpr double kRisesBelow = 0.5;  // below half of the limit the pace rises
inline constexpr double kFallsAbove = 1.0;  // above the limit the pace halves with every poll
inline constexpr double kHoldsFrom = 2.0;   // at twice the limit the lanes hold at once

/// Pace won back with each poll: 2.5 s from a hold to full pace, ten times as long as it takes to lose it.
inline constexpr double kRise = 0.1;
/// A pace that kept a signal over its limit for two polls was too high. Up to this share of it the pace rises
/// as usual, and above it by a hundredth per poll (9 s for the rest). Otherwise the lanes would swing between
/// full pace and hold: in simulation, twice the overshoot and three times as much time held.
inline constexpr double kCaution = 0.7;
inline constexpr double kRiseCarefully = 1.01;
/// Below this the lanes hold: four halvings (one second over the limit); beyond that a trickle of batches
/// would only keep the signal high.
inline constexpr double kPaceMin = 0.05;
/// The longest wait between two batches, so that a lane notices within 5 s that there is room again.
inline constexpr std::chrono::milliseconds kDelayMax{5'000};

/// Lanes that wait for room below a limit for more than the first share of their time are slowed, until it is
/// less than the second: without the two a log would be full of it.
inline constexpr double kShortOfRoomFrom = 0.10;
inline constexpr double kShortOfRoomTo = 0.03;
/// From this share on, with no room at all, they hold.
inline constexpr double kHoldsForRoomFrom = 0.95;
/// Weight of the latest look in the mean of that share: about a second counts.
inline constexpr double kShortOfRoomNew = 0.25;

/// Factor by which the pace recovers with each poll after a slow-only signal: 18 s from 0.5 to full pace.
/// This probes how much the others tolerate, in steps too small for them to notice.
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
  double pace = 1;                      // 0 to 1; a run starts at full pace unless a signal says otherwise
  double caution = 1;                   // above it the pace rises slowly
  double beside_others = 1;             // the share of it that the slow-only signals allow
  bool has_started = false;             // a decision has seen every signal
  std::optional<double> too_much;       // the pace at which a signal went over its limit, while it is over
  std::optional<TimePoint> moved_at;    // when the pace was last judged
  std::optional<TimePoint> held_since;  // when the hold began; nullopt if not holding
  double waited = 0;                    // share of their time that lanes wait for room, a mean
  bool is_short_of_room = false;        // and it is worth telling
};

/// How fast the lanes may go, and why. A value.
struct Decision {
  Flow flow = Flow::kHold;
  double pace = 0;                   // 0 to 1
  std::string reason;                // empty at full pace; else every sample that slows, worst first
  std::optional<Sample> worst;       // the sample that counts most; nullopt without samples
  double held_s = 0;                 // held without a break for this long
  bool is_beside_others = false;     // a slow-only signal is active: small batches and short pauses
  double speed = 0;                  // 0 to 1: the pace, less what lanes wait for room: for people
  std::optional<double> room_bytes;  // of WAL, until the first limit is reached; nullopt: nothing limits it
  PaceState next;
};

/// Decides from all samples; the worst one counts. No samples: hold, because nothing is known yet. To be
/// called once per poll, whether or not new samples came; calls in between only notice a stale sample. What
/// our own WAL moves needs no pace: at its limit the lanes hold, and below it they go while there is room.
/// `waited`: the share of their time since the last call that lanes waited for room.
Decision decide(const std::vector<Sample>& samples, const PaceState& previous, TimePoint now,
                double waited = 0);

/// What a lane waits after a batch that took `batch_time`, so that it works for the share `pace` of the time:
/// at most kDelayMax, zero at full pace. kDelayMax at pace 0, where the caller holds anyway.
std::chrono::milliseconds delay_after(std::chrono::milliseconds batch_time, double pace);

}  // namespace pgsluice::governor
