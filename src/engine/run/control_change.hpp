#pragma once

#include "pgsluice/state.hpp"

namespace pgsluice::engine {

/// What an operator's command asks of a running run.
enum class ControlChange { kNone, kPause, kResume, kCancel };

/// From what it has obeyed to what the ledger has now. Pure.
inline ControlChange change_of(Control was, Control is) {
  if (is == was) return ControlChange::kNone;
  if (is == Control::kPause) return ControlChange::kPause;
  return is == Control::kRun ? ControlChange::kResume : ControlChange::kCancel;
}

}  // namespace pgsluice::engine
