#pragma once

#include <string>

namespace pgsluice::engine {

/// What an operator's command asks of a running run.
enum class ControlChange { kNone, kPause, kResume, kCancel };

/// `was` and `is`: "run", "pause" or "cancel", as the ledger has it. Pure.
inline ControlChange change_of(const std::string& was, const std::string& is) {
  if (is == was) return ControlChange::kNone;
  if (is == "pause") return ControlChange::kPause;
  return is == "run" ? ControlChange::kResume : ControlChange::kCancel;
}

}  // namespace pgsluice::engine
