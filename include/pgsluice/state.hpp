#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <utility>

namespace pgsluice {

/// How far a job is, as the ledger keeps it. A job that says kRunning without a live run was interrupted.
enum class JobState {
  kReady,        // work is left, and no run is at it
  kRunning,      // a run has begun with it
  kDone,         // every step is
  kFailed,       // the last run ended with an error: run again once its cause is gone
  kCancelled,    // by an operator; `run` after `resume`
  kRollingBack,  // a rollback has begun, and no run starts until it is finished
  kRolledBack,   // every step that had changed something is undone
};

/// How far a step is, as the ledger keeps it.
enum class StepState {
  kWaiting,     // nothing of it has begun
  kRunning,     // begun; where it is its ranges say
  kDone,        // never begun again
  kFailed,      // goes on where it stopped when the job is run again
  kRolledBack,  // undone, as if it had never run
};

/// What an operator wants of a job's runs; they obey within half a second.
enum class Control { kRun, kPause, kCancel };

/// What a run is doing at one moment.
enum class RunState {
  kStarting,  // nothing is known of it yet
  kRunning,
  kHeld,      // the governor, a lock or a server that does not answer lets no batch begin
  kPaused,    // an operator does
  kDraining,  // it ends: finishing or cancelling what is in work
};

/// The names in the ledger, in JSON and on the screen.
inline constexpr std::array kJobStates{std::pair{JobState::kReady, "ready"},
                                       std::pair{JobState::kRunning, "running"},
                                       std::pair{JobState::kDone, "done"},
                                       std::pair{JobState::kFailed, "failed"},
                                       std::pair{JobState::kCancelled, "cancelled"},
                                       std::pair{JobState::kRollingBack, "rolling back"},
                                       std::pair{JobState::kRolledBack, "rolled back"}};
inline constexpr std::array kStepStates{
    std::pair{StepState::kWaiting, "waiting"}, std::pair{StepState::kRunning, "running"},
    std::pair{StepState::kDone, "done"}, std::pair{StepState::kFailed, "failed"},
    std::pair{StepState::kRolledBack, "rolled back"}};
inline constexpr std::array kControls{std::pair{Control::kRun, "run"}, std::pair{Control::kPause, "pause"},
                                      std::pair{Control::kCancel, "cancel"}};
inline constexpr std::array kRunStates{
    std::pair{RunState::kStarting, "starting"}, std::pair{RunState::kRunning, "running"},
    std::pair{RunState::kHeld, "held"}, std::pair{RunState::kPaused, "paused"},
    std::pair{RunState::kDraining, "draining"}};

/// The name of a value in one of the tables above; empty if it has none.
template <class State, class Names>
constexpr const char* name_in(const Names& names, State state) {
  for (const auto& [value, name] : names) {
    if (value == state) return name;
  }
  return "";
}

inline constexpr const char* name_of(JobState state) {
  return name_in(kJobStates, state);
}
inline constexpr const char* name_of(StepState state) {
  return name_in(kStepStates, state);
}
inline constexpr const char* name_of(Control control) {
  return name_in(kControls, control);
}
inline constexpr const char* name_of(RunState state) {
  return name_in(kRunStates, state);
}

/// The value of that name in one of the tables above; nullopt: there is none.
template <class Names>
constexpr auto named_in(const Names& names, std::string_view wanted) {
  std::optional<decltype(names.front().first)> found;
  for (const auto& [value, name] : names) {
    if (wanted == name) found = value;
  }
  return found;
}

}  // namespace pgsluice
