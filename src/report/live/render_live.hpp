#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "pgsluice/progress.hpp"
#include "report/live/terminal.hpp"
#include "report/text/describe.hpp"

namespace pgsluice::report {

/// A notable event as the live view shows it.
struct Note {
  std::string time;  // "12:00:00"
  std::string text;
  Weight weight = Weight::kNews;
};

/// What the live view knows besides the last Progress.
struct LiveState {
  std::string outcome;                          // of the run; empty while it runs
  bool step_done = false;                       // the step in Progress has succeeded: it may now show 100 %
  std::chrono::milliseconds since_progress{0};  // age of Progress
  std::vector<Note> notes;                      // oldest first
};

/// The live view's lines, each narrower than the terminal and together lower than it: a line that fills the
/// last column or row would make the terminal wrap or scroll. Old notes are dropped first. Pure.
std::vector<std::string> render_live(const Progress& progress, const LiveState& state,
                                     const Terminal& terminal);

}  // namespace pgsluice::report
